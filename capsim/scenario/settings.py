"""Settings of a scenario as frozen, typed objects; what pydantic finds wrong becomes faults.

The documentation of every key is ``docs/scenario.md``.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictStr,
    ValidationError,
    model_validator,
)

from capsim.i18n.language import Message
from capsim.scenario.cell_words import setting_word
from capsim.scenario.faults import Fault, meant
from capsim.scenario.raw_settings import merge
from capsim.scenario.schema import YEARS

K = TypeVar("K")
V = TypeVar("V")


class Frozen(Mapping[K, V], Generic[K, V]):
    """A mapping that cannot be changed, equal to the dict it was made from.

    Examples
    --------
    >>> cap = Frozen({2022: 0.05})
    >>> cap == {2022: 0.05}, cap[2022], list(cap)
    (True, 0.05, [2022])
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V] | None = None):
        self._items = dict(items or {})

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(Message("a number"))
    # Adding 0 makes -0 a 0; an integer beyond the range of floats could not be added.
    return value + 0.0 if abs(value) < 1e300 else value


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(Message("a whole number"))
    return value


def _date(value: Any) -> Any:
    try:
        date = dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        date = None
    if isinstance(date, dt.datetime) or not isinstance(date, dt.date):
        raise ValueError(Message("a date YYYY-MM-DD"))
    if not YEARS[0] <= date.year <= YEARS[1]:
        raise ValueError(Message("a date in {first}-{last}", {"first": YEARS[0], "last": YEARS[1]}))
    return date


def _by_year(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(Message("a table by year, such as {line}", {"line": "{2022 = 0.05}"}))
    keys = {str(key): entry for key, entry in value.items()}
    return {int(key) if re.fullmatch("[0-9]{4}", key) else key: keys[key] for key in sorted(keys)}


def _year_key(value: Any) -> Any:
    if isinstance(value, int) and YEARS[0] <= value <= YEARS[1]:
        return value
    raise ValueError(Message("a year for a key, not {value}", {"value": repr(str(value))}))


def _listed(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(Message("a list"))
    return tuple(value)


def _plain(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return {k: v.model_dump() if isinstance(v, BaseModel) else v for k, v in value.items()}


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0, le=1e15)]
Amount = Annotated[Number, Field(ge=0, le=1e15)]
Share = Annotated[Number, Field(ge=0, le=1)]
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(ge=0, le=10**9)]
Year = Annotated[Whole, Field(ge=YEARS[0], le=YEARS[1])]
YearKey = Annotated[int, BeforeValidator(_year_key)]
Date = Annotated[dt.date, BeforeValidator(_date)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed)]
Numbers = Annotated[tuple[Positive, ...], BeforeValidator(_listed)]
FROZEN = (AfterValidator(Frozen), PlainSerializer(_plain))
ByYear = Annotated[Mapping[YearKey, Share], BeforeValidator(_by_year), *FROZEN]
ByName = Annotated[Mapping[Name, V], *FROZEN]
FORECASTING = ("auto", "smoothed", "fitted", "robust", "hierarchical", "theta", "damped trend")
"""Methods of forecasting enrolment that have a name of their own."""
MonthDay = Annotated[StrictStr, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Span = Annotated[tuple[MonthDay, MonthDay], BeforeValidator(_listed)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Horizon(_Section):
    """Observed and planned school years."""

    base_year: Year
    first_year: Year
    last_year: Year

    @model_validator(mode="before")
    @classmethod
    def _first(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "first_year" in data:
            return data
        base = data.get("base_year")
        return {**data, "first_year": base + 1 if isinstance(base, int) else YEARS[0]}


class Stages(_Section):
    """Stages that are planned, and those that are compulsory."""

    planned: Names = Field(default=(), min_length=1, validate_default=False)
    compulsory: Names = ("primary", "junior")


class StageStandards(_Section):
    """Standards of one stage in place of the built-in ones."""

    grades: Names | None = None
    entry_age: Annotated[Whole, Field(ge=0, le=30)] | None = None
    class_size: Positive | None = None
    class_ceiling: Positive | None = None
    large_class: Positive | None = None
    very_large_class: Positive | None = None
    school_classes: Annotated[tuple[Count, ...], BeforeValidator(_listed)] | None = None
    pupils_per_post: Positive | None = None
    land_m2: Amount | None = None
    allowance_cny: Amount | None = None
    purchase_price_cny: Amount | None = None
    capital_cny: Amount | None = None
    extension_cny: Amount | None = None
    service_radius_km: Amount | None = None
    running_cny: Amount | None = None
    class_size_by_grade: Numbers | None = None
    floor_m2: Numbers | None = None
    boarding_cny: Amount | None = None
    rural_radius_km: Amount | None = None
    day_minutes: Amount | None = None
    boards_from_year: Annotated[Whole, Field(ge=0, le=30)] | None = None


class Policy(_Section):
    """Orders and limits of policy."""

    private_share_cap: ByYear = Frozen()
    share_scope: Literal["whole", "county"] = "whole"
    share_denominator: Literal["school", "residence"] = "school"
    purchased_counts_as_private: StrictBool = False
    reduction: Amount = 0.0
    reduction_year: Year
    purchase_ceiling_share: Share | None = None
    contract_years: Annotated[Whole, Field(ge=1, le=100)] = 3
    purchase_follows_child: StrictBool = False
    contract_fall_share: Share | None = None
    public_seats_first_km: Amount | None = None
    conversion_due_year: Year
    conversion_earliest_year: Year
    conversion_latest_year: Year | None = None
    conversion_keep_share: Share | None = None
    conversion_intake_share: Share | None = None
    conversion_least_years: Annotated[Whole, Field(ge=1, le=100)] = 1
    takeover_ratio: Share = 0.9
    takeover_by_pupils: StrictBool = False
    release_share: Share = 0.3
    decision_years: Annotated[tuple[Year, ...], BeforeValidator(_listed)] = ()
    large_class_share: ByYear = Frozen()
    class_size_sd: Positive = 5.0
    intake_rise_share: Amount | None = None
    public_swing_share: Share | None = None
    noncompulsory_swing_share: Share | None = None
    least_size_share: Share = 0.0
    closing_notice_years: Annotated[Whole, Field(ge=0, le=100)] = 0
    closing_size_share: Share | None = None
    keep_share: Share | None = None
    public_fill_share: ByYear = Frozen()


class Floors(_Section):
    """Least shares by year."""

    kindergarten_enrolment: ByYear = Frozen()
    kindergarten_public: ByYear = Frozen()
    kindergarten_inclusive: ByYear = Frozen()
    senior_enrolment: ByYear = Frozen()


class Programme(_Section):
    """Number of projects of a programme that must be in use by a date."""

    number: Count
    by: Date


class Choice(_Section):
    """Projects of which at least or at most so many may be in use, by a date if one is given."""

    projects: Names = ()
    kinds: Names = ()
    least: Count = 0
    most: Count | None = None
    by: Date | None = None


class Costs(_Section):
    """Prices, in the scenario's currency; the defaults are RMB."""

    discount_rate: Share
    shortfall_cny: Amount = 200_000.0
    displacement_cny: Amount = 3_000.0
    overfill_cny: Amount = 2_000.0
    hire_cny: Amount = 5_000.0
    stage_move_cny: Amount = 0.0
    county_move_cny: Amount | None = None
    teacher_cny: Amount = 100_000.0
    contract_teacher_cny: Amount = 70_000.0
    travel_cny_per_km: Amount = 300.0
    boarder_cny: Amount = 3_000.0
    boarder_travel_share: Share = 0.2
    salvage_share: Share = 0.0
    borrowed_rate: Positive | None = None


class Staff(_Section):
    """The county staff pools."""

    attrition: Share = 0.03
    retirement: Share = 0.0
    county_move_share: Share | None = None
    stages: Names = ("primary", "junior")

    @property
    def stay(self) -> float:
        """Share of a year's teachers on post who are still there a year later."""
        return 1.0 - self.attrition - self.retirement


class Travel(_Section):
    """Links where no table gives them, and how far day pupils may live from school."""

    nearest: ByName[Annotated[Whole, Field(ge=1, le=1000)]] = Frozen()
    radius_km: ByName[Positive] = Frozen()
    within_county: StrictBool = True
    default_km: Amount = 5.0
    day_km: ByName[Positive] = Frozen()
    day_minutes: ByName[Positive] = Frozen()
    standard_limits: StrictBool = False
    km_per_hour: Positive | None = None


class Map(_Section):
    """Where on earth x_km and y_km of the tables are 0: degrees of WGS-84."""

    longitude: Annotated[Number, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[Number, Field(ge=-90, le=90)] | None = None

    @property
    def origin(self) -> tuple[float, float] | None:
        """Longitude and latitude; None where they are not known."""
        if self.longitude is None or self.latitude is None:
            return None
        return self.longitude, self.latitude


class Catchments(_Section):
    """Stages in which a neighbourhood goes to one public school, and when they are drawn anew."""

    stages: Names = ()
    drawn: Annotated[tuple[Year, ...], BeforeValidator(_listed)] = ()
    connected: StrictBool = True


class Switches(_Section):
    """Constraint families, as listed in ``docs/model.md``."""

    placement: StrictBool = True
    seats: StrictBool = True
    admission: StrictBool = True
    intake: StrictBool = True
    continuity: StrictBool = True
    conversion: StrictBool = True
    handover: StrictBool = True
    closure: StrictBool = True
    purchase: StrictBool = True
    following: StrictBool = True
    public_first: StrictBool = True
    share: StrictBool = True
    reduction: StrictBool = True
    programme: StrictBool = True
    choice: StrictBool = True
    money: StrictBool = True
    land: StrictBool = True
    staff: StrictBool = True
    kindergarten: StrictBool = True
    floors: StrictBool = True
    class_size: StrictBool = True
    fill: StrictBool = True
    boarding: StrictBool = True
    catchment: StrictBool = True
    campus: StrictBool = True


class CostTerms(_Section):
    """Terms of the objective, as listed in ``docs/model.md``."""

    capital: StrictBool = True
    running: StrictBool = True
    staff: StrictBool = True
    hiring: StrictBool = True
    purchase: StrictBool = True
    conversion: StrictBool = True
    closure: StrictBool = True
    travel: StrictBool = True
    boarding: StrictBool = True
    displacement: StrictBool = True
    overfill: StrictBool = True
    shortfall: StrictBool = True
    salvage: StrictBool = True


def _forecasting(name: str) -> str:
    """Refuse what is not a method of `capsim.demand`."""
    if name not in FORECASTING and not re.fullmatch(r"[1-9]\d?-year mean", name):
        raise ValueError(
            Message("one of K-year mean (of 1 to 99 years), {names}", {"names": tuple(FORECASTING)})
        )
    return name


class DemandSettings(_Section):
    """Method and rates of the projection of enrolment."""

    method: Annotated[StrictStr, AfterValidator(_forecasting)] = "auto"
    alpha: Annotated[Number, Field(gt=0, le=1)] | None = None
    entry_age: ByName[Annotated[Whole, Field(ge=0, le=30)]] = Frozen()
    gross_enrolment: ByName[Annotated[Number, Field(ge=0, le=2)]] = Frozen()
    elsewhere: ByName[Annotated[Number, Field(ge=0, lt=1)]] = Frozen()


class Uncertainty(_Section):
    """Spread of the projection's errors, of the logarithm; what parents take up and refuse."""

    birth_sd: Annotated[Number, Field(ge=0, le=1)] = 0.03
    progression_sd: Annotated[Number, Field(ge=0, le=1)] = 0.01
    area_sd: Annotated[Number, Field(ge=0, le=1)] = 0.02
    uptake_mean: Share = 1.0
    uptake_sd: Share = 0.0
    refusal_mean: Share = 0.0
    refusal_sd: Share = 0.0


class Construction(_Section):
    """When building starts, and how alike delays of a county are."""

    start: Date
    shock_sd: Annotated[Number, Field(ge=0, le=2)] = 0.1


class Calendar(_Section):
    """When work stops, every year."""

    stops: Annotated[tuple[Span, ...], BeforeValidator(_listed)]


class Reliability(_Section):
    """How likely targets must be, in simulated futures, to be said to hold, and which must."""

    probability: Annotated[Share, Field(gt=0.0, lt=1.0)] = 0.95
    targets: Names = ()


class Simulation(_Section):
    """Size of a simulation."""

    draws: Annotated[Whole, Field(ge=1, le=10**7)] = 1000


class Settings(_Section):
    """All settings of a scenario, defaults filled in."""

    name: Name
    title: StrictStr = ""
    title_zh: StrictStr = ""
    country: Name = "china"
    currency: Annotated[StrictStr, Field(pattern="^[A-Z]{3}$")] = "CNY"
    horizon: Horizon
    stages: Stages = Stages()
    standards: ByName[StageStandards] = Frozen()
    policy: Policy
    floors: Floors = Floors()
    programmes: ByName[Programme] = Frozen()
    choices: ByName[Choice] = Frozen()
    costs: Costs
    staff: Staff = Staff()
    travel: Travel = Travel()
    map: Map = Map()
    catchments: Catchments = Catchments()
    switches: Switches = Switches()
    cost_terms: CostTerms = CostTerms()
    demand: DemandSettings = DemandSettings()
    uncertainty: Uncertainty = Uncertainty()
    construction: Construction
    calendars: ByName[Calendar] = Frozen()
    simulation: Simulation = Simulation()
    reliability: Reliability = Reliability()

    @property
    def gives_up(self) -> bool:
        """Whether converted schools must stay alive, and may be closed again."""
        kept = self.policy.conversion_keep_share, self.policy.conversion_intake_share
        return self.switches.handover and any(share is not None for share in kept)

    @property
    def counts_brought(self) -> bool:
        """Whether teachers are taken over by the pupils whom a converted school brings."""
        return self.switches.handover and self.policy.takeover_by_pupils

    @model_validator(mode="before")
    @classmethod
    def _years(cls, data: Any) -> Any:
        """Count from the base year the years that are not given."""
        if not isinstance(data, dict):
            return data
        data = {"horizon": {}, "costs": {}, "policy": {}, "construction": {}, **data}
        horizon = data["horizon"]
        base = horizon.get("base_year") if isinstance(horizon, dict) else None
        if isinstance(base, bool) or not isinstance(base, int) or not YEARS[0] <= base < YEARS[1]:
            base = YEARS[0]
        counted: dict[str, dict[str, Any]] = {
            "policy": {
                "reduction_year": base + 1,
                "conversion_earliest_year": base + 1,
                "conversion_due_year": base + 2,
            },
            "construction": {"start": dt.date(base + 1, 1, 1)},
        }
        for section, values in counted.items():
            if isinstance(data[section], dict):
                data = {**data, section: {**values, **data[section]}}
        return data


def origin_of(plain: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the origin of the map that settings as written say; None where they say none.

    Examples
    --------
    >>> origin_of({"map": {"longitude": 114.3, "latitude": 36}}), origin_of({"map": {}})
    ((114.3, 36.0), None)
    """
    try:
        return Map.model_validate(plain.get("map", {})).origin
    except ValidationError:
        return None  # said with the faults of the settings


STAND_INS: Mapping[str, Any] = {"name": "-", "costs": {"discount_rate": 0.0}}
"""Settings that must be given, but that no check of tables reads."""


BOUNDS = {
    "string_type": "text",
    "string_too_short": "text of at least {number} letters",
    "string_too_long": "text of at most {number} letters",
    "string_pattern_mismatch": "a day as month-day, such as 09-01",
    "bool_type": "a valid boolean",
    "finite_number": "a finite number",
    "greater_than": "greater than {bound}",
    "greater_than_equal": "greater than or equal to {bound}",
    "less_than": "less than {bound}",
    "less_than_equal": "less than or equal to {bound}",
    "dict_type": "a table",
    "model_type": "a table",
    "invalid_key": "text for a key",
    "too_short": "at least one",
    "too_long": "at most {number} entries",
}
"""What is expected, by the kind of error that pydantic finds."""


def _bound(kind: str, context: Mapping[str, Any]) -> Message:
    """Describe what is expected by the kind of an error and what pydantic says beside it."""
    if kind == "value_error":
        said: Message = context["error"].args[0]
        return said
    if kind == "literal_error":
        first, second = str(context["expected"]).split(" or ")
        return Message("{first} or {second}", {"first": first, "second": second})
    for key in ("gt", "ge", "lt", "le"):
        if key in context:
            return Message(BOUNDS[kind], {"bound": f"{context[key]:.15g}"})
    for key in ("min_length", "max_length"):
        if key in context and "{number}" in BOUNDS[kind]:
            return Message(BOUNDS[kind], {"number": int(context[key])})
    return Message(BOUNDS[kind])


def faults_of(error: ValidationError, file: str) -> list[Fault]:
    """Return every error as a fault with its dotted key."""
    faults = []
    for detail in error.errors(include_url=False):
        place = [str(part) for part in detail["loc"] if part != "[key]"]
        kind = detail["type"]
        value = _shown(detail["input"])
        if kind == "extra_forbidden":
            value = place[-1]
            expected = meant(Message("a key"), value, _known(place[:-1]))
        elif kind == "missing":
            value, expected = "", Message("a value")
        else:
            expected = _bound(kind, detail.get("ctx", {}))
        faults.append(Fault(file, None, ".".join(place), value, expected))
    return faults


def without_faults(plain: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """Return settings without what is wrong with them, so that all else can be checked.

    Examples
    --------
    >>> try:
    ...     Settings.model_validate({"name": "x", "title": 5, "costs": {"discount_rate": "?"}})
    ... except ValidationError as error:
    ...     without_faults({"name": "x", "title": 5, "costs": {"discount_rate": "?"}}, error)
    {'name': 'x', 'costs': {'discount_rate': 0.0}}
    """
    left: dict[str, Any] = copy.deepcopy(dict(plain))
    for detail in error.errors(include_url=False):
        *path, last = [str(part) for part in detail["loc"] if part != "[key]"] or [""]
        section: Any = left
        for part in path:
            section = section.get(part) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(last, None)
    return merge(STAND_INS, left)


SUFFIX = ".toml"
"""Of a file that knows numbers from texts, as spreadsheets do not."""


def understood_settings(
    plain: Mapping[str, Any], error: ValidationError, file: str, notes: list[Message]
) -> dict[str, Any]:
    """Return settings with texts read as the numbers, years or lists that they mean.

    Examples
    --------
    >>> given, notes = {"name": "x", "costs": {"discount_rate": "4%"}}, []
    >>> try:
    ...     Settings.model_validate(given)
    ... except ValidationError as error:
    ...     understood_settings(given, error, "settings", notes)["costs"]
    {'discount_rate': 0.04}
    """
    left: dict[str, Any] = copy.deepcopy(dict(plain))
    for detail in error.errors(include_url=False):
        *path, last = [str(part) for part in detail["loc"] if part != "[key]"] or [""]
        section: Any = left
        for part in path:
            section = section.get(part) if isinstance(section, dict) else None
        value = section.get(last) if isinstance(section, dict) else None
        quoted = file.endswith(SUFFIX)
        means = setting_word(value, last, quoted=quoted) if isinstance(value, str) else None
        if means is not None:
            section[last] = means
            key = ".".join((*path, last))
            arguments = {"key": key, "example": repr(value), "value": str(means)}
            note = Message("{key}: {example} read as {value}", arguments)
            notes.append(Message("{file}: {note}", {"file": file, "note": note}))
    return left


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _known(place: list[str]) -> list[str]:
    """List the keys of the section at a place; names of stages and programmes are passed over."""
    model: type[BaseModel] = Settings
    for part in place:
        field = model.model_fields.get(part)
        if field is None:
            continue
        inner = field.annotation
        if get_origin(inner) is not None and issubclass(get_origin(inner) or object, Mapping):
            inner = get_args(inner)[1]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)
