"""Charts and widgets that show a Projection."""
