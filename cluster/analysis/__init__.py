"""From what was measured to what it means. Pure: records in, records out, no files or clock."""
