"""`pantau user`: accounts of the dashboard and their roles.

Passwords are prompted for, never given as an argument: arguments are visible in the list of
processes and in the shell's history.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click
from rich.text import Text

from monitor.adapters.system.passwords import Argon2Passwords
from monitor.cli.accounts import accounts_of
from monitor.cli.formatting import make_console, make_table
from monitor.cli.options import config_option
from monitor.core.access import User, UserRole, check_password, parse_user_name
from monitor.core.errors import ConfigError

WALL_TOKEN_BYTES = 32
ROLES = tuple(role.value for role in UserRole)
ROLE_NAMES = {
    UserRole.VIEWER: "melihat",
    UserRole.OPERATOR: "melihat dan menangani",
    UserRole.ADMIN: "juga melihat siapa saja yang boleh masuk",
}


@click.group()
@config_option
def user(config: Path) -> None:
    """Who may sign in to the web page. While there is nobody, everybody may look at it.

    Roles: see (look), operate (take incidents, plan maintenance), administer
    (see who may sign in, too).

    \b
    Example: pantau user add siti --role operate
             pantau user list
             pantau user wall-token
    """


@user.command(name="add")
@config_option
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=UserRole.VIEWER.value, show_default=True)
@click.option(
    "--no-password", is_flag=True, help="Signed in by the reverse proxy only ([dashboard.proxy])."
)
def add_user(config: Path, name: str, role: str, no_password: bool) -> None:
    """Add somebody; the password is asked for twice.

    \b
    Example: pantau user add siti --role operate
    """
    accounts, added = accounts_of(config), parse_user_name(name)
    if any(each.name == added for each in accounts.list().accounts):
        raise ConfigError(f"there is a user {added} already: pantau user password {added}")
    password_hash = None if no_password else prompt_password_hash()
    after = accounts.add(User(added, UserRole(role), password_hash))
    click.echo(f"Pengguna {added} ditambahkan: {ROLE_NAMES[UserRole(role)]}.")
    if len(after.accounts) == 1:
        click.echo("Mulai sekarang halaman web hanya terbuka bagi yang masuk.")


@user.command(name="list")
@config_option
def list_users(config: Path) -> None:
    """Everybody who may sign in.

    \b
    Example: pantau user list
    """
    found = accounts_of(config).list()
    console = make_console()
    if not found.accounts:
        console.print("Belum ada pengguna: halaman web terbuka bagi siapa pun di jaringan ini.")
    else:
        table = make_table("Nama", "Peran", "Boleh", "Masuk dengan")
        for each in found.accounts:
            way = "kata sandi" if each.has_password else "proksi saja"
            table.add_row(Text(each.name), each.role.value, ROLE_NAMES[each.role], way)
        console.print(table)
    if found.has_wall_token:
        console.print("Layar dinding punya token.")


@user.command(name="role")
@config_option
@click.argument("name")
@click.argument("new", type=click.Choice(ROLES), metavar="ROLE")
def change_role(config: Path, name: str, new: str) -> None:
    """Give somebody another role; it counts at once, also for who is signed in.

    \b
    Example: pantau user role siti administer
    """
    accounts_of(config).set_role(name, UserRole(new))
    click.echo(f"Pengguna {parse_user_name(name)}: {ROLE_NAMES[UserRole(new)]}.")


@user.command(name="remove")
@config_option
@click.argument("name")
def remove_user(config: Path, name: str) -> None:
    """Remove somebody; who is signed in under that name is out at once.

    \b
    Example: pantau user remove siti
    """
    left = accounts_of(config).remove(name)
    click.echo(f"Pengguna {parse_user_name(name)} dihapus.")
    if not left.accounts:
        click.echo("Tidak ada pengguna lagi: halaman web kini terbuka bagi siapa pun.")


@user.command(name="password")
@config_option
@click.argument("name")
def change_password(config: Path, name: str) -> None:
    """Give somebody another password; whoever is signed in under that name must sign in again.

    \b
    Example: pantau user password siti
    """
    accounts, wanted = accounts_of(config), parse_user_name(name)
    if all(each.name != wanted for each in accounts.list().accounts):
        raise ConfigError(f"there is no user {name!r}: pantau user list shows them")
    accounts.set_password(wanted, prompt_password_hash())
    click.echo(f"Kata sandi {parse_user_name(name)} diganti.")


@user.command(name="wall-token")
@config_option
@click.option("--off", is_flag=True, help="The wall's present token counts no longer.")
def wall_token(config: Path, off: bool) -> None:
    """Make the address that a wall's screen opens without a sign-in; it may only look.

    A token made before counts no longer. Only a hash of it is kept: it is shown this once.

    \b
    Example: pantau user wall-token
    """
    token = None if off else secrets.token_urlsafe(WALL_TOKEN_BYTES)
    accounts_of(config).set_wall_token(token)
    if token is None:
        click.echo("Token layar dinding dicabut.")
    else:
        click.echo("Buka sekali di layar dinding, di belakang alamat halaman web:")
        click.echo(f"tv?token={token}")


def prompt_password_hash() -> str:
    """Prompt for a password twice and return its hash; from a pipe, read its first line."""
    if sys.stdin.isatty():
        text = click.prompt("Kata sandi", hide_input=True, confirmation_prompt="Sekali lagi")
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    return Argon2Passwords().hash(check_password(text))
