"""What the tabs share: state, session, theme, lanes, tables."""
