"""The state, document and warnings of all shippers together."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence

from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport
from monitor.core.documents import Document
from monitor.core.errors import InvalidRequest
from monitor.core.ports import Clock, SampleSink
from monitor.core.samples.schema import HOURS, MEASUREMENTS, MINUTES
from monitor.core.warning import MonitorWarning
from monitor.storage.influx_shipper import InfluxShipper, ShipperState
from monitor.storage.shipping_errors import RefusalCause

SHIPPED = (MEASUREMENTS, MINUTES, HOURS)
"""The measurements of each shipper."""

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
            blocked=tuple(each for state in states for each in state.blocked),
            outside_retention=sum(each.outside_retention for each in states),
            resend_lines=sum(each.resend_lines for each in states),
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
            "refused_measurements": [each.name for each in state.blocked],
            "outside_retention": state.outside_retention,
            "resending": state.resend_lines,
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
        found += [
            MonitorWarning(
                f"{each.why}; no sample of {each.name} is accepted: it is kept here and sent once"
                " InfluxDB accepts it again",
                "influx_refused",
                {"measurement": each.name, "why": each.why},
            )
            for each in state.blocked
        ]
        refused_s = state.last_refused_s
        if refused_s is not None and self._now_s() - refused_s < REFUSED_WARNING_S:
            found.append(
                MonitorWarning(
                    f"InfluxDB: {state.quarantined} samples were refused and set aside: see"
                    " `pantau influx quarantine`",
                    "influx_quarantine",
                    {"count": state.quarantined},
                )
            )
        return found

    def failures(self) -> list[SelfCheckReport]:
        """Measurements that are refused as a whole, and a setting that keeps samples waiting."""
        state = self.state
        if state is None:
            return []
        check = SelfCheck.INFLUXDB
        found = [SelfCheckReport(check, 0.0, why=b.why, subject=b.name) for b in state.blocked]
        if state.cause in (RefusalCause.CONFIGURATION, RefusalCause.RIGHTS, RefusalCause.BUCKET):
            found.append(SelfCheckReport(check, 0.0, why=state.last_error))
        return found

    def use_sinks(self, sinks: Sequence[SampleSink]) -> None:
        """Write there from now on; one sink a shipper, in the same order."""
        for shipper, sink in zip(self._shippers, sinks, strict=True):
            shipper.use_sink(sink)

    async def resend(self, since_s: float, until_s: float, measurement: str | None) -> int:
        """Send what was taken in [since_s, until_s) (UTC) again; how many rows there are.

        measurement: only this one. Raises InvalidRequest, StoreError.
        """
        if not self._shippers:
            raise InvalidRequest("there is no [storage.influxdb]: nothing is sent to InfluxDB")
        names = [[each.name for each in group] for group in SHIPPED]
        if measurement is not None and not any(measurement in group for group in names):
            known = ", ".join(name for group in names for name in group)
            raise InvalidRequest(f"{measurement!r} is no measurement; known: {known}")
        return sum(
            [
                await shipper.resend(since_s, until_s, measurement)
                for shipper, group in zip(self._shippers, names, strict=True)
                if measurement is None or measurement in group
            ]
        )

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())
