"""YAML that people write, read into typed sections, with every mistake told in plain words."""
