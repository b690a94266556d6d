"""What crosses to the browser, and what keeps a widget there."""
