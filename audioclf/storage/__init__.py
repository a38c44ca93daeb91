"""Files, folders, tables and the Hub: how anything is kept and read back."""
