"""Audio files in and out, denoising, the removal of silence, excerpts."""
