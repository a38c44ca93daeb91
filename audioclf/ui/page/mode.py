"""Whether the page is a person's own, or one that anybody may visit."""

import hashlib
import ipaddress
import os
import secrets

import gradio as gr

IPV6_NETWORK = 64  # bits; a household or a server has all addresses of such a network
KEY = secrets.token_bytes(32)  # of hashes of addresses; gone when the page ends


def is_local() -> bool:
    """Whether a person runs the app on their own machine; a Space is never local."""
    return bool(os.environ.get("AUDIOCLF_LOCAL")) and not os.environ.get("SPACE_ID")


def visitor_address(peer: str, forwarded: str) -> str:
    """The visitor's address: the peer's, on a Space the last one that its proxy wrote down.

    Whoever has an address of IPv6 has a whole network of them: its first 64 bits.
    """
    text = peer
    if os.environ.get("SPACE_ID"):
        text = forwarded.rpartition(",")[2].strip() or peer
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def address_of(request: gr.Request | None) -> str:
    """The address of whoever calls a handler; empty where nobody does."""
    if request is None:
        return ""
    client = getattr(request, "client", None)
    headers = dict(getattr(request, "headers", {}) or {})
    peer = str(getattr(client, "host", "") or "")
    return visitor_address(peer, str(headers.get("x-forwarded-for", "")))


def address_hash(request: gr.Request | None) -> str:
    """What tells one address from another without telling it; empty where there is none."""
    address = address_of(request)
    return hashlib.blake2b(address.encode(), key=KEY, digest_size=16).hexdigest() if address else ""
