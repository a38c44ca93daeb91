"""Whether the page is a person's own, or one that anybody may visit."""

import hashlib
import ipaddress
import os
import secrets

import gradio as gr

KEY = secrets.token_bytes(32)  # of hashes of addresses; gone when the page ends


def is_local() -> bool:
    """Whether a person runs the app on their own machine; a Space is never local."""
    return bool(os.environ.get("AUDIOCLF_LOCAL")) and not os.environ.get("SPACE_ID")


def address_of(request: gr.Request | None) -> str:
    """Where a request comes from; on a Space the last address that its proxy noted, only there.

    Whoever has an address of IPv6 has a whole network of them: its first 64 bits.
    """
    if request is None:
        return ""
    client = getattr(request, "client", None)
    found = str(getattr(client, "host", "") or "")
    if os.environ.get("SPACE_ID"):
        noted = str(dict(getattr(request, "headers", {}) or {}).get("x-forwarded-for", ""))
        found = noted.rpartition(",")[2].strip() or found
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return found
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)


def address_hash(request: gr.Request | None) -> str:
    """What tells one address from another without telling it; empty where there is none."""
    found = address_of(request)
    return hashlib.blake2b(found.encode(), key=KEY, digest_size=16).hexdigest() if found else ""
