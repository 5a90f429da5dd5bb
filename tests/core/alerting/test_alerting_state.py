"""AlertingState: overlays of acknowledgements and maintenance, before and after a reload."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.alerting.alerting_state import WINDOW_RETENTION_S, AlertingState
from monitor.core.alerting.model import ActionKind, IncidentAction, MaintenanceWindow
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Incident, Scope, State
from tests.core.detection.scenario import network

T0 = 1_764_000_000.0
BEFORE = network({"a/utama": ("pop",), "b/utama": ()}, {"pop": ()})
NODE = Incident(
    1, Scope.NODE, "pop", State.DOWN, T0, T0 + 5, "silence", affected=("a/utama", "a/utama")
)


def acknowledged(incident: int) -> IncidentAction:
    return IncidentAction(incident, ActionKind.ACKNOWLEDGE, "p", T0, until_s=T0 + 600)


def window(number: int, *targets: str, start: float = 0.0, end: float = 600.0) -> MaintenanceWindow:
    return MaintenanceWindow(targets, T0 + start, T0 + end, "p", "x", id=number)


def test_an_acknowledged_node_counts_for_itself_and_all_affected_targets() -> None:
    state = AlertingState(AlertSettings(), BEFORE)
    state.add_action(acknowledged(1))
    assert state.overlays([NODE], T0) == {
        "pop": ("acknowledged",),
        "a/utama": ("acknowledged",),
    }
    assert state.overlays([], T0) == {}


def test_a_target_has_each_overlay_once() -> None:
    state = AlertingState(AlertSettings(), BEFORE)
    state.add_action(acknowledged(1))
    state.add_window(window(1, "pop"), T0)
    state.add_window(window(2, "a"), T0)
    shown = state.overlays([NODE], T0)
    assert shown == dict.fromkeys(("pop", "a/utama"), ("acknowledged", "maintenance"))


def test_a_reload_keeps_actions_and_windows() -> None:
    state = AlertingState(AlertSettings(), BEFORE)
    state.add_window(window(1, "pop"), T0)
    state.add_action(acknowledged(1))
    state.reconfigure(
        AlertSettings(),
        network({"a/utama": (), "b/utama": ("pop",)}, {"pop": ()}),
        state.zone,
    )
    assert state.overlays([], T0) == {"pop": ("maintenance",), "b/utama": ("maintenance",)}
    assert state.handling(1).active_acknowledgement(T0) is not None


def test_a_window_that_is_ended_early_replaces_the_planned_one() -> None:
    state = AlertingState(AlertSettings(), BEFORE)
    state.add_window(window(1, "b/utama"), T0)
    state.add_window(replace(window(1, "b/utama"), ended_s=T0 + 5, ended_by="p"), T0 + 5)
    assert state.overlays([], T0 + 5) == {}
    assert len(state.maintenance.windows) == 1


def test_windows_that_ended_long_ago_are_dropped() -> None:
    state = AlertingState(AlertSettings(), BEFORE)
    state.add_window(window(1, "a"), T0)
    state.add_window(
        window(2, "b", start=WINDOW_RETENTION_S, end=WINDOW_RETENTION_S + 700),
        T0 + WINDOW_RETENTION_S,
    )
    assert [each.id for each in state.maintenance.windows] == [1, 2]
    state.add_window(
        window(3, "b", start=WINDOW_RETENTION_S, end=WINDOW_RETENTION_S + 800),
        T0 + WINDOW_RETENTION_S + 700,
    )
    assert [each.id for each in state.maintenance.windows] == [2, 3]
