"""The command `pantau`. Each sub-command's module is imported only when the command is used.

`pantau status` must answer within half a second, without the import time of the daemon's libraries.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "ack": "somebody has an incident in hand",
    "alert-test": "sends a test message through the channels",
    "cause": "names what an incident came from",
    "check": "reads the whole configuration and says everything that is wrong",
    "dashboard": "serves the web page",
    "demo": "a made-up Indramayu on this machine, with daemon and dashboard on top",
    "export": "what the journal keeps, as CSV or as evidence for replay",
    "handover": "the summary of a shift",
    "incidents": "what went wrong: open ones first, or one whole",
    "influx": "prepares InfluxDB, sends samples again, lists what it refused",
    "journal": "how large and how old the journal is, and whether it is sound",
    "maintenance": "planned work: measured, but nobody is called",
    "note": "writes something down about an incident",
    "oncall": "who is on call now, and who is next",
    "outbox": "messages on their way, and those that failed",
    "probe": "pings one site, link or node now and reads its SNMP",
    "release": "an incident is in nobody's hand again",
    "replay": "judges recorded evidence with the present configuration",
    "run": "the daemon, in the foreground: probes, judges, stores",
    "snooze": "quiet for a while about one incident",
    "status": "every site and link, its state and since when",
    "ticket": "the provider's number for an incident",
    "user": "who may sign in to the web page, and what they may do",
}
"""Name → summary for `pantau --help`."""

_MODULES = {
    **dict.fromkeys(("ack", "cause", "note", "release", "snooze", "ticket"), "incident_actions"),
    **dict.fromkeys(("alert-test", "handover", "oncall", "outbox"), "alerts"),
    **dict.fromkeys(("export", "journal"), "data"),
    "user": "users",
}
"""Name → module in monitor.cli; the others are in a module of their own name."""


class LazyGroup(click.Group):
    """Imports a command's module on use. The command is the module's attribute of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"monitor.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command = getattr(module, cmd_name.replace("-", "_"))
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__} has no command {cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pantau", prog_name="pantau")
def pantau() -> None:
    """Keeps watch over the links of the kecamatan offices.

    \b
    Example: pantau check && pantau run
    """
