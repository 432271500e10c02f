"""What is said to Ray, and what it says; Ray itself is in tests/integration."""

from cluster.fleet.ray_fleet import _mismatch, _not_on, _room

MISMATCH = """Version mismatch: The cluster was started with:
    Ray: 2.60.0
    Python: 3.12.4
This process on 10.0.0.3 was started with:
    Ray: 2.59.1
    Python: 3.11.2
"""


def test_rays_own_sentence_about_versions_is_kept_whole() -> None:
    assert (
        "Version mismatch: The cluster was started with: Ray: 2.60.0 Python: 3.12.4 "
        "This process on 10.0.0.3 was started with: Ray: 2.59.1 Python: 3.11.2"
        == _mismatch(RuntimeError(MISMATCH))
    )
    assert "" == _mismatch(RuntimeError("something else"))


def test_no_bundle_goes_to_a_node_that_is_avoided() -> None:
    nodes = [{"NodeID": "aa", "NodeManagerAddress": "10.0.0.9"}, {"NodeID": "bb"}]

    assert {} == _not_on([], 3)
    assert {"bundle_label_selector": [{"ray.io/node-id": "!in(aa,bb)"}] * 3} == _not_on(nodes, 3)
    assert "2 nodes offer the resource `loadgen`" == _room(nodes, [])
    assert "the engine's own (10.0.0.9) is left out" in _room(nodes, nodes[:1])
