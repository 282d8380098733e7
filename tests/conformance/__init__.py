"""Black-box scenarios of OCPP, as data; ``README.md`` says how they are written."""
