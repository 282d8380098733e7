"""The HTTP border: routes from the table of operations, the event stream, who asks, and the figures."""
