"""The page's theme: Gradio's own shapes, one accent, the reader's own fonts."""

import gradio as gr

ACCENT = gr.themes.Color(
    *("#eef6fb", "#d9ebf6", "#b4d7ec", "#84bde0", "#4fa0d0", "#2684bd"),
    *("#0f6ba3", "#0b5685", "#0a466b", "#0a3a58", "#062539"),
    name="okabe_blue",
)


def theme() -> gr.themes.Base:
    """No font is fetched from elsewhere, and dark mode is a theme of its own."""
    return gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=gr.themes.colors.slate,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
        radius_size=gr.themes.sizes.radius_sm,
    ).set(
        color_accent="*primary_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        body_text_color_subdued="*neutral_500",
        block_label_text_color="*neutral_500",
        link_text_color_dark="*primary_300",
        color_accent_soft_dark="*primary_900",
        block_border_width="1px",
        block_shadow="none",
        block_label_text_size="*text_sm",
    )
