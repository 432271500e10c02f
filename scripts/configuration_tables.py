"""Writes the tables of docs/configuration.md anew from the model: `make fix` runs it."""

from pathlib import Path

from cluster.experiment.reference import fill_tables

DOCUMENT = Path(__file__).parents[1] / "docs" / "configuration.md"

if __name__ == "__main__":
    DOCUMENT.write_text(fill_tables(DOCUMENT.read_text()))
