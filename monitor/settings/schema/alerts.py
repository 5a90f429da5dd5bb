"""Schema of alerts.toml."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.settings.schema import field_types
from monitor.settings.schema.common import Kind, SecretName, Slug, Table, Text

LanguageCode = Literal["id", "en"]
Names = Annotated[list[str], BeforeValidator(field_types.one_or_many)]
LocalMoment = Annotated[datetime, AfterValidator(field_types.local_moment)]
AddressWithoutSecret = Annotated[str, AfterValidator(field_types.address_without_secret)]
TextWithoutSecret = Annotated[
    str, AfterValidator(field_types.one_line), AfterValidator(field_types.without_secret)
]


class ChannelTable(Table):
    """[[channels]]"""

    id: Slug = Field(
        examples=["telegram-noc"], description="a short name of small letters, digits and -"
    )
    type: Literal["apprise", "webhook", "command", "telegram"] = Field(
        examples=["apprise"], description='"apprise", "telegram", "webhook" or "command", in quotes'
    )
    url: SecretName | None = Field(
        default=None,
        repr=False,
        examples=["telegram-noc"],
        description="the name of a secret, never the address itself",
    )
    address: AddressWithoutSecret | None = Field(
        default=None,
        repr=False,
        examples=["http://127.0.0.1:9000/pantau"],
        description="an address without any secret in it",
    )
    command: list[TextWithoutSecret] = Field(
        default=[],
        repr=False,
        examples=[["/usr/local/bin/sirene", "--sekali"]],
        description="a program and its arguments, each in quotes, without any secret",
    )
    language: LanguageCode | None = Field(
        default=None, examples=["id"], description='"id" or "en", in quotes'
    )
    per_minute: int | None = Field(
        default=None, ge=1, le=600, examples=[20], description="the most messages a minute"
    )
    most_characters: int | None = Field(
        default=None, ge=160, le=100_000, examples=[4000], description="the longest text it takes"
    )
    fallback: Names = Field(
        default=[],
        examples=["hook"],
        description="the id of a channel that is tried when this one refuses or takes a minute, "
        "or a list of ids",
    )
    hold_s: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        examples=[0],
        description="the seconds before it is told on this channel",
    )
    daily_test: bool = Field(
        default=False, examples=[True], description="true to send a test through it every day"
    )
    buttons: bool = Field(
        default=False, examples=[True], description="true to offer buttons under a message"
    )
    allowed_users: list[int] = Field(
        default=[],
        examples=[[123456789]],
        description="the Telegram user ids (numbers) that may press the buttons, as [123456789]",
    )
    signing_key: SecretName | None = Field(
        default=None,
        repr=False,
        examples=["hook-kunci"],
        description="the name of the secret that signs the requests of a webhook, in quotes",
    )


class PersonTable(Table):
    """[[people]]"""

    id: Slug = Field(
        examples=["petugas-1"], description="a short name of small letters, digits and -"
    )
    name: Text | None = Field(
        default=None, examples=["Budi"], description="the person's name, in quotes"
    )
    channels: Names = Field(
        examples=[["telegram-noc"]], description="the ids of this person's channels, best first"
    )
    language: LanguageCode = Field(
        default="id", examples=["id"], description='"id" or "en", in quotes'
    )
    phone: Text | None = Field(
        default=None, examples=["0811-000-000"], description="a telephone number, in quotes"
    )


class OverrideTable(Table):
    """[[rota.overrides]]"""

    person: str = Field(examples=["petugas-2"], description="the id of a person")
    start: LocalMoment = Field(
        examples=[datetime.fromisoformat("2026-12-24T07:30:00")],
        description="a local date and time without quotes",
    )
    end: LocalMoment = Field(
        examples=[datetime.fromisoformat("2026-12-26T07:30:00")],
        description="a local date and time without quotes",
    )


class RotaTable(Table):
    """[[rota]]"""

    name: Slug = Field(examples=["jaga"], description="a short name of small letters, digits and -")
    people: Names = Field(
        examples=[["petugas-1", "petugas-2"]], description="the ids of people in their order"
    )
    start: LocalMoment = Field(
        examples=[datetime.fromisoformat("2026-11-23T07:30:00")],
        description="when the first turn begins, a local date and time without quotes",
    )
    turn_days: float = Field(
        default=7.0, gt=0, le=366, examples=[7], description="the length of one turn in days"
    )
    overrides: list[OverrideTable] = Field(
        default=[], examples=[], description="each under a header of its own: [[rota.overrides]]"
    )


class MatchTable(Table):
    """match = { … }: an absent key accepts everything."""

    scope: Annotated[
        list[Literal["link", "node", "monitor"]], BeforeValidator(field_types.one_or_many)
    ] = Field(
        default=[],
        examples=[["node", "link"]],
        description='a list of "link", "node" or "monitor"',
    )
    state: Annotated[
        list[Literal["down", "degraded", "unknown"]], BeforeValidator(field_types.one_or_many)
    ] = Field(
        default=[], examples=[["down"]], description='a list of "down", "degraded" or "unknown"'
    )
    site: Names = Field(default=[], examples=[["anjatan"]], description="a list of site ids")
    provider: Names = Field(
        default=[], examples=[["Penyedia A"]], description="a list of providers, in quotes"
    )
    kind: Annotated[list[Kind], BeforeValidator(field_types.one_or_many)] = Field(
        default=[], examples=[["fibre"]], description='a list of "fibre", "radio", "lte" or "vsat"'
    )
    target: Names = Field(
        default=[],
        examples=[["anjatan/utama"]],
        description="a list of full names (site/link) or node ids",
    )


class StepTable(Table):
    """steps = [ { … } ]"""

    after_min: float = Field(
        default=0.0,
        ge=0,
        le=10_080,
        examples=[15],
        description="the minutes without an acknowledgement after which it is told",
    )
    to: Names = Field(
        examples=[["rota:jaga", "person:petugas-1", "channel:hook"]],
        description="a list of rota:<name>, person:<id> or channel:<id>",
    )


class RouteTable(Table):
    """[[routes]]"""

    match: MatchTable = MatchTable()
    steps: list[StepTable] = Field(
        examples=[], description='a list of steps: steps = [ { after_min = 0, to = ["rota:…"] } ]'
    )
    office_hours: bool = Field(
        default=False,
        examples=[True],
        description="true where an alert may wait for office hours (down waits only where a site "
        "or target is named)",
    )
    hold_s: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        examples=[0],
        description="the seconds before incidents of this route are told",
    )


class RulesTable(Table):
    """[rules]"""

    hold_s: float = Field(
        default=15.0, ge=0, le=3600, examples=[15], description="the seconds before it is told"
    )
    group_count: int = Field(
        default=5, ge=2, le=1000, examples=[5], description="how many openings make one message"
    )
    group_s: float = Field(
        default=30.0, gt=0, le=3600, examples=[30], description="the seconds they must fall within"
    )
    group_join_s: float = Field(
        default=300.0, ge=0, le=86_400, examples=[300], description="how long later ones join it"
    )
    reminder_min: float = Field(
        default=30.0, gt=0, le=10_080, examples=[30], description="the minutes between reminders"
    )
    reminders: int = Field(
        default=4, ge=0, le=1000, examples=[4], description="how many such reminders there are"
    )
    later_reminder_min: float = Field(
        default=240.0, gt=0, le=10_080, examples=[240], description="the minutes between later ones"
    )
    longest_ack_min: float = Field(
        default=480.0, gt=0, le=10_080, examples=[480], description="the longest acknowledgement"
    )
    long_down_min: float = Field(
        default=15.0, gt=0, le=1440, examples=[15], description="when a flapping link is told of"
    )


Day = Annotated[list[time], AfterValidator(field_types.opening_hours)]


class HoursTable(Table):
    """[hours]"""

    monday: Day | None = Field(
        default=None, examples=[], description="from and until: [07:30:00, 16:00:00], closed: []"
    )
    tuesday: Day | None = monday
    wednesday: Day | None = monday
    thursday: Day | None = monday
    friday: Day | None = monday
    saturday: Day | None = monday
    sunday: Day | None = monday
    calendar: bool = Field(
        default=True, examples=[True], description="false where public holidays are working days"
    )
    holidays: list[date] = Field(
        default=[], examples=[], description="a list of dates without quotes: [2026-12-31]"
    )
    workdays: list[date] = Field(
        default=[], examples=[], description="a list of dates without quotes: [2026-12-24]"
    )


class MessagesTable(Table):
    """[messages]"""

    base_url: AddressWithoutSecret | None = Field(
        default=None,
        repr=False,
        examples=["https://pantau.indramayukab.go.id"],
        description="the address of the web page, as people open it",
    )
    test_at: time = Field(
        default=time(7, 30),
        examples=[time.fromisoformat("07:30:00")],
        description="a local time without quotes",
    )


class HeartbeatTable(Table):
    """[heartbeat]"""

    url: SecretName = Field(
        repr=False,
        examples=["heartbeat"],
        description="the name of a secret, never the address itself",
    )


class AlertsFile(Table):
    """alerts.toml"""

    channels: list[ChannelTable] = Field(
        default=[], examples=[], description="each under a header of its own: [[channels]]"
    )
    people: list[PersonTable] = Field(
        default=[], examples=[], description="each under a header of its own: [[people]]"
    )
    rota: list[RotaTable] = Field(
        default=[], examples=[], description="each under a header of its own: [[rota]]"
    )
    routes: list[RouteTable] = Field(
        default=[], examples=[], description="each under a header of its own: [[routes]]"
    )
    rules: RulesTable = RulesTable()
    hours: HoursTable = HoursTable()
    messages: MessagesTable = MessagesTable()
    heartbeat: HeartbeatTable | None = None
