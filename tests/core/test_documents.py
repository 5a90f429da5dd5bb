"""The JSON of the contract."""

from __future__ import annotations

import json
from typing import Any, cast

from monitor.core.documents import (
    TargetStatus,
    incident_document,
    rfc3339,
    status_document,
    transition_document,
)
from monitor.core.model import Incident, IncidentEvidence, Scope, State, Transition
from tests.core.detection.scenario import network


def test_times_are_utc_to_the_millisecond() -> None:
    assert rfc3339(1_764_000_000.0) == "2025-11-24T16:00:00.000Z"
    assert rfc3339(1_764_000_000.9996) == "2025-11-24T16:00:01.000Z"
    assert rfc3339(None) is None


def test_an_incident_has_every_name_of_the_contract() -> None:
    incident = Incident(
        17,
        Scope.LINK,
        "anjatan/utama",
        State.DOWN,
        1_764_000_000.0,
        1_764_000_006.0,
        "silence",
        IncidentEvidence(lost_in_row=22, loss_before=0.004, silence_s=5.2),
    )
    document = incident_document(incident)
    assert document["id"] == 17
    assert document["scope"] == "link"
    assert document["state"] == "down"
    assert document["ended"] is None
    assert document["affected"] == []
    assert document["parent"] is None
    assert document["suspected_cause"] is None
    assert document["evidence"] == {"lost_in_row": 22, "loss_before": 0.004, "silence_s": 5.2}
    json.dumps(document)


def test_a_transition_says_from_and_to() -> None:
    document = transition_document(Transition("pop", 1.0, 2.0, State.UP, State.DOWN, "silence"))
    assert list(document) == ["target", "at", "detected", "from", "to", "reason"]
    assert (document["from"], document["to"]) == ("up", "down")


def test_the_state_document_has_sites_links_and_nodes() -> None:
    net = network({"anjatan/utama": ("pop",), "anjatan/cadangan": ()}, {"pop": ()}, anchors=1)
    standings = {
        "anjatan/utama": TargetStatus(State.DOWN, 1_764_000_000.0, None, 100.0),
        "anjatan/cadangan": TargetStatus(State.UP, 1_763_000_000.0, 41.23456, 0.0, ("flapping",)),
    }
    document = status_document(
        net,
        lambda name: standings.get(name, TargetStatus()),
        {"state": "up", "last_round": None},
        [],
        1_764_000_010.0,
        0.4,
        stale=False,
    )
    assert (document["at"], document["stale"], document["age_s"]) == (
        "2025-11-24T16:00:10.000Z",
        False,
        0.4,
    )
    (site,) = cast("list[dict[str, Any]]", document["sites"])
    assert (site["id"], site["state"]) == ("anjatan", "degraded")
    assert site["since"] == "2025-11-24T16:00:00.000Z"
    utama, cadangan = site["links"]
    assert utama["target"] == "anjatan/utama"
    assert (utama["rtt_ms"], utama["loss_pct"], utama["overlays"]) == (None, 100.0, [])
    assert (cadangan["rtt_ms"], cadangan["overlays"]) == (41.235, ["flapping"])
    (node,) = cast("list[dict[str, Any]]", document["nodes"])
    assert (node["target"], node["state"], node["since"]) == ("pop", "unknown", None)
