"""The command `pantau`: each sub-command is imported only when it is asked for.

`pantau status` must answer within half a second; it need not pay for the daemon's libraries.
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
    "influx": "makes InfluxDB ready: buckets, retention, rights",
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


class Commands(click.Group):
    """Finds a command as the attribute of the same name of its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"monitor.cli.{name}"), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"monitor.cli.{cmd_name} has no command of that name")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list without importing every command."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pantau", prog_name="pantau")
def pantau() -> None:
    """Keeps watch over the links of the kecamatan offices.

    \b
    Example: pantau check && pantau run
    """
