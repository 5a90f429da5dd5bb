"""The state, document and warnings of all shippers together."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence

from monitor.core.documents import Document
from monitor.core.ports import Clock
from monitor.core.warning import MonitorWarning
from monitor.storage.influx_shipper import InfluxShipper, RefusalCause, ShipperState

REFUSED_WARNING_S = 86_400.0
"""How long a refused sample is warned of; the count stays in `pantau status`."""


class ShipperGroup:
    """The shippers of raw rows, minutes and hours, in this order; none without InfluxDB."""

    def __init__(self, shippers: Sequence[InfluxShipper], clock: Clock) -> None:
        self._shippers = tuple(shippers)
        self._clock = clock

    def services(self) -> list[Coroutine[None, None, None]]:
        """Each shipper's `run`."""
        return [shipper.run() for shipper in self._shippers]

    @property
    def raw_cursor(self) -> str | None:
        """The cursor of the shipper of raw rows, which holds old files back."""
        return self._shippers[0].name if self._shippers else None

    @property
    def state(self) -> ShipperState | None:
        """Lags and dead letters summed, the first error; None: no InfluxDB."""
        if not self._shippers:
            return None
        states = [shipper.state for shipper in self._shippers]
        failing = next((each for each in states if each.last_error is not None), states[0])
        times = [each.last_ok_s for each in states if each.last_ok_s is not None]
        refused = [each.last_refused_s for each in states if each.last_refused_s is not None]
        return ShipperState(
            lag_lines=sum(each.lag_lines for each in states),
            last_ok_s=max(times, default=None),
            last_error=failing.last_error,
            cause=failing.cause,
            failing_since_s=failing.failing_since_s,
            backing_off_until_s=failing.backing_off_until_s,
            quarantined=sum(each.quarantined for each in states),
            last_refused_s=max(refused, default=None),
            backfilling=any(each.backfilling for each in states),
        )

    def behind_s(self) -> float | None:
        """For how many seconds InfluxDB has accepted nothing; 0 while all is well."""
        state = self.state
        if state is None:
            return None
        since_s = state.failing_since_s
        return 0.0 if since_s is None else max(0.0, self._now_s() - since_s)

    def document(self) -> Document | None:
        """`monitor.influxdb` of the status; None: not configured."""
        state = self.state
        if state is None:
            return None
        return {
            "lag": state.lag_lines,
            "behind_s": round(self.behind_s() or 0.0, 1),
            "last_error": state.last_error,
            "quarantined": state.quarantined,
            "lanes": [
                {
                    "name": each.name,
                    "lag": each.state.lag_lines,
                    "last_error": each.state.last_error,
                    "quarantined": each.state.quarantined,
                    "catching_up": each.state.backfilling,
                }
                for each in self._shippers
            ],
        }

    def warnings(self) -> list[MonitorWarning]:
        """What a person should know; empty while all is shipped."""
        state = self.state
        if state is None:
            return []
        found = []
        if state.last_error is not None:
            behind_s = self.behind_s() or 0.0
            found.append(
                MonitorWarning(
                    state.last_error
                    if state.last_error.startswith("InfluxDB")
                    else f"InfluxDB: {state.last_error}",
                    f"influx_{(state.cause or RefusalCause.OTHER).value}",
                    {"behind_s": round(behind_s), "count": state.lag_lines},
                )
            )
        elif state.backfilling:
            found.append(
                MonitorWarning(
                    f"InfluxDB: catching up, {state.lag_lines} samples to go",
                    "influx_catching_up",
                    {"count": state.lag_lines},
                )
            )
        refused_s = state.last_refused_s
        if refused_s is not None and self._now_s() - refused_s < REFUSED_WARNING_S:
            found.append(
                MonitorWarning(
                    f"InfluxDB: {state.quarantined} samples were refused and set aside: see the"
                    " directory quarantine",
                    "influx_quarantine",
                    {"count": state.quarantined},
                )
            )
        return found

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())
