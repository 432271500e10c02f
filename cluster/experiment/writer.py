"""An experiment as YAML, with every default filled in, and its JSON Schema for editors."""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from cluster.document.source import Loader
from cluster.experiment.model import Experiment

_WIDTH: Final = 100


class _Dumper(yaml.SafeDumper):
    """Sections in block style, lists on a line; quotes whatever the reader takes for a number."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def represent_list(self, data: Iterable[Any]) -> yaml.SequenceNode:
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)

    def represent_text(self, data: str) -> yaml.ScalarNode:
        # Rarer line breaks, such as U+0085, survive only as escapes, which take double quotes.
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def represent_float(self, data: float) -> yaml.ScalarNode:
        # A rate of 100000 is read back as the same number, and reads better than 100000.0.
        if data.is_integer() and abs(data) < 1e15:  # noqa: PLR2004 - where YAML's floats begin
            return self.represent_int(int(data))
        return super().represent_float(data)


_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(float, _Dumper.represent_float)
# Both YAML versions: quoted where either of them would read something else than text.
_Dumper.yaml_implicit_resolvers = {
    first: [
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
        *Loader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in {**yaml.SafeDumper.yaml_implicit_resolvers, **Loader.yaml_implicit_resolvers}
}


def dump_experiment(experiment: Experiment) -> str:
    """The experiment as run, defaults filled in. `load_experiment` reads an equal one back."""
    return yaml.dump(
        # Without what means nothing: it would not be read back.
        experiment.model_dump(exclude={"order_flow": set(experiment.order_flow.unused)}),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=_WIDTH,
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an experiment file: what editors complete and check."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Experiment.model_json_schema(),
        "title": "loadcluster experiment",
    }
