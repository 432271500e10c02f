"""Wire schemas: from the YAML in which a protocol is written down to the plan that is sent by."""
