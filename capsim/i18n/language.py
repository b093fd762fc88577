"""Numbers as English readers write them.

Text on a screen of 100 columns, in which Chinese characters are two wide.

What the report says, in English or in Chinese, with numbers as readers of either write them.

Code speaks English; `Words` gives each text in the language asked for, by the one table
`capsim.i18n.language`. A text without an entry there is an error, never silently English. Names
from the data (areas, schools, projects) are nobody's to translate: they come through as they are.

The report's texts in English (as the code speaks) and Chinese, and the words of its data.

A text with `{places}` has the same places in both languages; units that differ between the two
(millions and ten thousands of RMB) are turned by the code that names them.

The Chinese of explanations, prices and comparisons; see `capsim.i18n.language`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width


def count(number: float) -> str:
    """Persons or places as English readers write them.

    Examples
    --------
    >>> count(309800.2), count(-12), count(-0.2)
    ('309,800', '−12', '0')
    """
    text = f"{number:,.0f}"
    return "0" if text == "-0" else text.replace("-", "−")


def money(cny: float) -> str:
    """RMB in the unit that keeps the number short.

    Examples
    --------
    >>> money(4.61e9), money(-25_300_000), money(8_200)
    ('4.61 bn RMB', '−25.3 million RMB', '8,200 RMB')
    """
    if abs(cny) >= 1e9:
        text = f"{cny / 1e9:,.2f} bn"
    elif abs(cny) >= 1e6:
        text = f"{cny / 1e6:,.1f} million"
    else:
        text = count(cny)
    return f"{text} RMB".replace("-", "−")


def share(fraction: float) -> str:
    """Fraction as a percentage with two decimals.

    Examples
    --------
    >>> share(0.05)
    '5.00 %'
    """
    return f"{100 * fraction:.2f} %"


WIDTH = 100


def width(text: str) -> int:
    """Columns of a terminal that a text takes.

    Examples
    --------
    >>> width("place"), width("学位")
    (5, 4)
    """
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def left(text: str, columns: int) -> str:
    """Fill a text up on the right."""
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    """Fill a text up on the left."""
    return " " * (columns - width(text)) + text


def wrapped(head: str, parts: list[str]) -> list[str]:
    """Write `head: part · part …` over lines of at most `WIDTH` columns, indented by two.

    Examples
    --------
    >>> wrapped("What binds", ["posts", "land"])
    ['What binds:', '  posts · land']
    >>> wrapped("Cost decided here: 0 RMB", [])
    ['Cost decided here: 0 RMB.']
    """
    if not parts:
        return [f"{head}."]
    lines, line = [head + ":"], " "
    for part in parts:
        joined = f"{line} {part}" if line == " " else f"{line} · {part}"
        if width(joined) > WIDTH - 2 and line != " ":
            lines.append(line + " ·")
            joined = f"  {part}"
        line = joined
    return [*lines, line]


def filled(text: str, hang: str = "", most: int = WIDTH) -> list[str]:
    """Break a text into lines of at most so many columns, the later ones beginning with `hang`.

    Between Chinese characters a line may end anywhere; elsewhere at a blank.

    Examples
    --------
    >>> filled("a " * 60)[1], filled("学" * 60, "  ")[1]
    ('a a a a a a a a a a', '  学学学学学学学学学学')
    """
    begin = text[: len(text) - len(text.lstrip())]
    lines, line = [], begin
    for piece in _pieces(text.lstrip()):
        if line.strip() and width((line + piece).rstrip()) > most:
            lines.append(line.rstrip())
            line = hang
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """Cut a text where a line may end."""
    pieces = [""]
    for character in text:
        pieces[-1] += character
        if character == " " or east_asian_width(character) in "WF":
            pieces.append("")
    return [piece for piece in pieces if piece]


LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Words:
    """Texts and numbers in one language; made by `words`."""

    lang: str

    @property
    def code(self) -> str:
        """Language tag of a page (BCP 47)."""
        return "zh-Hans" if self.lang == "zh" else "en"

    @property
    def comma(self) -> str:
        """What stands between parts of a list."""
        return "、" if self.lang == "zh" else ", "

    @property
    def stop(self) -> str:
        """What ends a sentence."""
        return "。" if self.lang == "zh" else "."

    def __call__(self, text: str, **values: Any) -> str:
        """Give a text with its `{values}` filled in.

        Raises
        ------
        KeyError
            The table of texts has no such entry.

        Examples
        --------
        >>> words("zh")("{number} projects open", number=182)
        '182个项目投用'
        """
        if self.lang == "zh":
            text = TEXTS[text]
        return text.format(**values) if values else text

    def name(self, term: str) -> str:
        """Give a word of the data (a stage, a kind, a programme's status); others as they are.

        Examples
        --------
        >>> words("zh").name("junior"), words("en").name("in_use"), words("zh").name("X")
        ('初中', 'in use', 'X')
        """
        if self.lang == "zh":
            return NAMES.get(term, term)
        return term.replace("_", " ") if term in NAMES else term

    def rule(self, rule: object) -> str:
        """Name a rule of the targets in words; a programme by its name.

        Examples
        --------
        >>> words("en").rule("large_classes"), words("zh").rule("programme-build-2022")
        ('large classes', '建设计划 build-2022')
        """
        text = str(rule)
        if self.lang == "en":
            return text.replace("_", " ") if text in NAMES else text
        if text.startswith("programme-"):
            return f"建设计划 {text.removeprefix('programme-')}"
        return NAMES.get(text, text)

    def count(self, number: float) -> str:
        """Persons, places or pieces, whole.

        Examples
        --------
        >>> words("en").count(309800), words("zh").count(309800), words("zh").count(-1200)
        ('309,800', '30.98万', '−1,200')
        """
        if self.lang == "zh" and abs(number) >= 1e4:
            return f"{number / 1e4:,.2f}".rstrip("0").rstrip(".").replace("-", "−") + "万"
        return count(number)

    def money(self, cny: float) -> str:
        """RMB in the unit that keeps the number short.

        Examples
        --------
        >>> words("en").money(4.61e9), words("zh").money(4.61e9), words("zh").money(253_000)
        ('4.61 bn RMB', '46.10亿元', '25.3万元')
        """
        if self.lang != "zh":
            return money(cny)
        if abs(cny) >= 1e8:
            text = f"{cny / 1e8:,.2f}亿"
        elif abs(cny) >= 1e4:
            text = f"{cny / 1e4:,.1f}万"
        else:
            text = count(cny)
        return f"{text}元".replace("-", "−")

    def share(self, fraction: float) -> str:
        """Fraction as a percentage with two decimals."""
        text = share(fraction)
        return text.replace(" ", "") if self.lang == "zh" else text

    def chance(self, fraction: float) -> str:
        """Probability as a whole percentage.

        Examples
        --------
        >>> words("en").chance(0.66), words("zh").chance(0.66)
        ('66 %', '66%')
        """
        text = count(100 * fraction)
        return text + ("%" if self.lang == "zh" else " %")

    def joined(self, parts: list[str]) -> str:
        """Put parts of a sentence in a row."""
        return self.comma.join(parts)


def words(lang: str) -> Words:
    """Words of a language, `en` or `zh`.

    Raises
    ------
    ValueError
        There is no such language.

    Examples
    --------
    >>> words("fr")
    Traceback (most recent call last):
    ...
    ValueError: language 'fr': one of en, zh
    """
    if lang not in LANGUAGES:
        raise ValueError(f"language {lang!r}: one of {', '.join(LANGUAGES)}")
    return Words(lang)


# ruff: noqa: E501 (a table: a line is a text)


TEXTS = {
    # numbers and tables
    "RMB": "元",
    "RMB, millions": "万元",
    "mu": "亩",
    "yes": "是",
    "no": "否",
    "no rows": "无数据",
    "rows {from}–{to} of {of}": "第{from}–{to}行，共{of}行",
    "search": "搜索",
    "all": "全部",
    "previous": "上一页",
    "next": "下一页",
    "All digits: {file}.": "完整数据：{file}。",
    "Rests on:": "依据：",
    # verdict and targets
    "NO PLAN meets what is ordered.": "没有方案能满足全部要求。",
    "THE PLAN MEETS ALL TARGETS ({proof}).": "方案达到全部目标（{proof}）。",
    "THE PLAN MISSES {missed} OF {of} TARGETS ({proof}).": "{of}项目标中有{missed}项未达到（{proof}）。",
    "proved cheapest to {gap} % of avoidable cost": "已证明与最低可决策成本相差不超过{gap}%",
    "search ended early, at most {gap} % of avoidable cost from the cheapest": "搜索提前结束，与最低可决策成本相差不超过{gap}%",
    "Target": "目标",
    "Targets": "目标",
    "target": "目标",
    "by": "截止",
    "required": "要求",
    "planned": "计划",
    "likely": "概率",
    "later years": "以后各年",
    "holds": "达到",
    "MISSED": "未达到",
    "all hold": "全部达到",
    "{held} of {of} hold": "{of}项中{held}项达到",
    "{later}, {chance} in {year}": "{later}，{year}年概率{chance}",
    "ordered by": "要求出处",
    "state": "状态",
    "All targets, by year": "各年全部目标",
    "probability": "概率",
    "95 % interval, from": "95%区间下限",
    "to": "上限",
    # sentences
    "Mix on 1 September {year}, {number} fewer private pupils": "{year}年9月1日民办在校生减少{number}人，其中",
    "{number} projects open": "{number}个项目投用",
    ", {number} of them candidates": "，其中备选项目{number}个",
    "{number} schools convert": "{number}所民办学校转为公办",
    "{number} close or run down": "{number}所关停或停止招生",
    "up to {number} places bought in a year": "每年最多购买学位{number}个",
    "Until {year}": "到{year}年",
    "Cost decided here, discounted to {year}: {decided} (besides {committed} committed)": "可决策成本（折现到{year}年）{decided}，另有既定支出{committed}",
    "nine simulations in ten: between {low} and {high}": "九成模拟结果在{low}至{high}之间",
    ", missing children not counted": "（未计缺位儿童）",
    "Children made to change school in mid-stage: {number} in {year}, {total} in all.": "学段中途被迫转学：{year}年{number}人，合计{total}人。",
    "Private share at the end of {year}: {without} without purchased places, {with_} with them.": "{year}年底民办占比：不计购买学位{without}，计入购买学位{with_}。",
    "Empty public seats of the compulsory stages: {number} in {first}, {most} at most ({year}), {end} in {last}.": "义务教育公办空余学位：{first}年{number}个，最多{most}个（{year}年），{last}年{end}个。",
    "Children without a place": "没有学位的儿童",
    "{stage} {number} in {year} ({counties}), {total} child-years in all": "{stage}{year}年{number}人（{counties}），各年合计{total}人次",
    "What binds": "起约束作用的条件",
    "no limit and no target; cost alone decides": "没有限额和目标起约束作用，只由成本决定",
    "{what} used up in {years}": "{what}在{years}用尽",
    " ({number} years)": "（共{number}年）",
    " (1 county)": "（1个县区）",
    " ({number} counties)": "（{number}个县区）",
    "… {number} more years": "另有{number}年",
    "Lateness that hurts most": "延误影响最大的项目",
    "{project} ({chance} on time, {harm} pupils)": "{project}（按期概率{chance}，影响{harm}人）",
    "teachers to hire": "新聘教师名额",
    "contract teachers": "合同制教师名额",
    "posts": "教师编制",
    "places for sale": "可购买学位",
    "money to build": "建设资金",
    "money to run": "运行经费",
    "land": "用地指标",
    "teachers": "人",
    # page
    "Skip to the answer": "跳到结论",
    "Plan of school places": "学位规划",
    "Sections": "章节",
    "Answer": "结论",
    "Figures": "图表",
    "Plan": "方案",
    "Places and limits": "学位与限额",
    "Counties": "县区",
    "Sources": "数据来源",
    "How it was made": "计算说明",
    "Prices": "影子价格",
    "Explanations": "说明",
    "Children and seats": "学生与学位",
    "Figure: {title}. Its data stand in the table below.": "图：{title}。数据见下表。",
    "Figure: {title}. Its data stand in the plan by project.": "图：{title}。数据见项目台账。",
    "Data of the figure": "图中数据",
    "Choose a county; printed, each has a page.": "选择一个县区查看；打印时每个县区单独一页。",
    "Its projects in the plan": "本县区项目",
    "All counties": "全部县区",
    "Every figure rests on those below, each with its mark:": "所有数字均由下列数据得出，标记含义：",
    "stated": "官方讲话",
    "published": "公开发布",
    "derived": "推算",
    "assumed": "假设",
    "no mark": "无标记",
    "scenario": "情景",
    "seed": "随机种子",
    "{number} simulations": "模拟{number}次",
    "checked": "复核",
    "{number} rules and cells recomputed apart from the solver; largest violation {violation}": "独立于求解器重新计算{number}条规则和单元格，最大偏差{violation}",
    "versions": "软件版本",
    "Figures, sources and marks": "数据、来源与标记",
    "figure": "数据",
    "value": "数值",
    "unit": "单位",
    "source": "来源",
    "mark": "标记",
    "meaning of the mark": "标记含义",
    # cards
    "fewer private pupils on 1 September": "9月1日民办在校生减少",
    "ordered: {number}": "要求：{number}",
    "private share at the end of {year}": "{year}年底民办占比",
    "at most {share}": "上限{share}",
    "children without a place, all years": "各年无学位学生",
    "all stages": "全部学段",
    "decided here, discounted": "可决策成本（折现）",
    "besides {committed} committed": "另有既定支出{committed}",
    "made to change school in mid-stage, {year}": "{year}年中途转学学生",
    # tables of the plan
    "The plan by project": "项目台账",
    "project": "项目",
    "county": "县区",
    "area": "片区",
    "kind": "类型",
    "stage": "学段",
    "stages": "学段",
    "programme": "建设计划",
    "status": "进展",
    "copies": "个数",
    "places": "学位",
    "places a copy": "每个学位数",
    "unpaid capital": "待付投资",
    "plan counts on it from": "计划投用",
    "Of each of the four milestones: the date by which it is reached in half of the simulations, and the probability that it is reached by the day on which the plan counts on the project. Of several alike copies, the first.": "四个节点各列出半数模拟中达到的日期，以及在计划投用日之前达到的概率；同类多个项目列第一个。",
    "in use: nine in ten": "九成把握投用",
    "harm of lateness, child-years": "延误影响（人·年）",
    "Private schools that become public": "转为公办的民办学校",
    "school": "学校",
    "conversion": "民转公",
    "public from": "转公办日期",
    "pupils, base year": "基年学生数",
    "teachers taken over": "接收教师",
    "cost": "费用",
    "Private schools that close or run down": "关停或停止招生的民办学校",
    "how": "方式",
    "from school year": "起始学年",
    "Places bought from private schools": "向民办学校购买的学位",
    "first school year": "首个学年",
    "last school year": "末个学年",
    "most places": "最多学位",
    "place-years": "学位·年",
    "RMB a place and year, mean": "平均单价（元/学位·年）",
    "cost, undiscounted": "费用（未折现）",
    "children": "学生",
    "standard public seats": "公办标准学位",
    "public pupils": "公办学生",
    "above standard": "超标准班额",
    "empty seats": "空余学位",
    "private pupils": "民办学生",
    "in converted schools": "民转公学校学生",
    "without a place": "无学位",
    "Balance of places by area, stage and school year (1 September)": "学位余缺：分片区、学段、学年（9月1日）",
    "Balance by stage and school year": "学位余缺：分学段、学年",
    "school year": "学年",
    "year": "年份",
    "Limits and what is used of them": "限额与使用情况",
    "limit on": "限额项目",
    "the whole": "全市",
    "used": "已用",
    "limit": "限额",
    "part used": "使用比例",
    "used up": "用尽",
    "room left": "有余量",
    "Projects that open": "投用项目",
    "Schools that convert": "民转公学校",
    "Without a place, {year}": "{year}年无学位",
    "Above standard, {year}": "{year}年超班额",
    "Empty seats, {year}": "{year}年空余学位",
    "Private share, end of {year}": "{year}年底民办占比",
    "Cost decided here": "可决策成本",
    "Teachers": "教师",
    "teachers needed": "需要教师",
    "teachers on posts": "在编教师",
    "hired": "新聘",
    "taken over": "接收",
    "on contract": "合同制",
    # data behind figures
    "term": "项",
    "pupils": "学生",
    "fall in private pupils": "民办在校生减少",
    "compulsory pupils": "义务教育学生",
    "area or county": "片区或县区",
    "from area": "居住片区",
    "to area or school": "就读片区或学校",
    "pupils in a class": "班额",
    "probability of any": "出现的概率",
    "5 %": "5%",
    "25 %": "25%",
    "75 %": "75%",
    "95 %": "95%",
    # figures
    "existing public seats": "现有公办学位",
    "new public seats": "新建公办学位",
    "converted schools": "民转公学校",
    "purchased places": "购买学位",
    "over-filled classes": "超班额",
    "private, fee-paying": "民办自费",
    "no place": "无学位",
    "fewer pupils": "学生减少",
    "staff": "教师",
    "running": "运行",
    "capital": "建设",
    "purchase": "购买学位",
    "hiring": "招聘",
    "travel": "交通",
    "boarding": "寄宿",
    "km to school": "到校公里数",
    "Which school each neighbourhood goes to": "各片区的公办学区",
    "{stage}: who goes where from {year}": "{stage}：{year}年起的学区",
    "Heavy lines: between catchments. Squares: public schools, triangles: private ones, by pupils. Dashed: {number} children beyond the service radius.": "粗线：学区界；方块：公办学校，三角：民办学校，大小按学生数；虚线：{number}名学生超出服务半径。",
    "White: {number} neighbourhoods without a catchment: they send no child to a public school.": "白色：{number}个居住区未划学区，没有学生就读公办学校。",
    "over-filling": "超班额",
    "displacement": "转学",
    "closure": "关停",
    "shortfall": "无学位",
    "salvage": "残值",
    "capsim · scenario {name} · {hash}": "capsim · 情景 {name} · {hash}",
    "school year (from 1 September)": "学年（9月1日起）",
    "What the decisions cost, by kind and year": "决策成本：分类、分年",
    "What the decisions cost, by scenario": "决策成本：分情景",
    "{unit}, discounted to {year}": "{unit}，折现到{year}年",
    "school year (calendar year for capital)": "学年（建设投资按日历年）",
    "Beyond what is committed whatever is decided (staff on post, ordered projects).": "不含既定支出（在编教师、已定项目）。",
    "{unit}, discounted, beyond what is committed": "{unit}，折现，不含既定支出",
    "pupils (the black line is the sum)": "学生（黑线为合计）",
    "What takes in the pupils who leave private schools, by scenario": "民办学生的去向：分情景",
    "What takes in the pupils who leave private schools by 1 September {year}": "到{year}年9月1日民办学生的去向",
    "What takes the pupils in": "民办学生的去向",
    "fall in\nprivate pupils": "民办学生\n减少合计",
    "pupils, against autumn {year}": "学生，与{year}年秋季相比",
    "Grades of the compulsory stages. Each term is computed on its own; together they are the fall in counted private pupils.": "义务教育各年级。各项分别计算，合计为计入口径的民办学生减少数。",
    "Where pupils of the compulsory stages sit": "义务教育学生就读分布",
    "pupils on 1 September": "9月1日学生数",
    "Over-filled classes: pupils above the standard class size.": "超班额：超过标准班额的学生。",
    "Private share of compulsory enrolment": "义务教育民办占比",
    "share of pupils on 31 December": "12月31日学生占比",
    "purchased places not counted": "不计购买学位",
    "purchased places counted": "计入购买学位",
    "{what}: 90 % of simulations": "{what}：90%的模拟",
    "cap": "上限",
    "The cap counts private pupils with purchased places.": "上限口径：民办学生含购买学位。",
    "The cap counts private pupils without purchased places.": "上限口径：民办学生不含购买学位。",
    "Seats left over and pupils above standard, by area": "各片区空余学位与超班额学生",
    "Right of 0 (light blue): empty seats; left (purple, striped): over-filled classes; black: children without a place.": "0右侧（浅蓝）：空余学位；左侧（紫色条纹）：超班额；黑色：无学位学生。",
    "← {lack} above standard or no place\n{empty} empty →": "← 超班额或无学位{lack}\n空余{empty} →",
    "Where seats are lacking and where children go": "哪里缺学位、学生去哪里",
    "Where seats are lacking and where children go, {year}": "哪里缺学位、学生去哪里，{year}年",
    "east, km": "东向（公里）",
    "north, km": "北向（公里）",
    "above standard or without a place": "超班额或无学位的比例",
    "Compulsory stages. Discs: children; a thick rim: some without a place. Arrows: flows between places, the {number} largest, the widest {biggest} pupils.": "义务教育。圆面积：学生数；粗边：有学生无学位。箭头：跨片区就读，最大的{number}条，最宽{biggest}人。",
    "Squares: public schools, triangles: private ones.": "方块：公办学校，三角：民办学校。",
    "The part in the frame": "框内部分",
    "Class sizes in public schools": "公办学校班额",
    "Sizes spread about each school's mean with a standard deviation of {sd}.": "各校班额围绕均值分布，标准差{sd}。",
    "{stage}: {share} large": "{stage}：大班额{share}",
    "large: {size}+": "大班额：{size}人以上",
    "very large: {size}+": "超大班额：{size}人以上",
    "pupils in a class (thin lines: the standard)": "班额（细线：标准）",
    "share of classes": "班级占比",
    "The programme: planned and likely dates of use": "建设计划：计划与可能的投用日期",
    "planned building": "计划工期",
    "in use: even chance": "投用：五成把握",
    "in use: even chance to nine in ten": "投用：五成至九成把握",
    "planned to count": "计划投用",
    "{number} projects": "{number}个项目",
    "{number} places": "{number}个学位",
    "{chance} on time": "按期{chance}",
    "calendar": "日期",
    "A row of several projects shows the means of their dates.": "多个项目合并一行时为日期均值。",
    "Children without a place, simulated": "无学位学生（模拟）",
    "children without a place": "无学位学生",
    ": some in {chance} of simulations of {year}": "：{year}年有{chance}的模拟出现",
    "{part} % of simulations": "{part}%的模拟",
    "median": "中位数",
    "mean": "均值",
    "{number} simulations, seed {seed}.": "模拟{number}次，随机种子{seed}。",
    "{number} simulations, seed {seed}; bars of error: 95 %.": "模拟{number}次，随机种子{seed}；误差线：95%。",
    "How likely each target is": "各目标实现的概率",
    "share of simulations in which the target holds": "目标达到的模拟占比",
    "on its first date": "首个日期",
    "in its least likely later year": "以后最不利年份",
    "{rule}, by {date}": "{rule}，{date}",
    "low value": "低值",
    "high value": "高值",
    "projection": "预测",
    "95 % of draws": "95%的抽样",
    "80 %": "80%",
    "50 %": "50%",
}

NAMES = {
    "kindergarten": "幼儿园",
    "primary": "小学",
    "junior": "初中",
    "senior": "高中",
    "new": "新建",
    "rebuild": "改建",
    "extend": "扩建",
    "prefab": "装配式校舍",
    "inclusive_kindergarten": "普惠园转设",
    "under_construction": "在建",
    "ordered": "已下达",
    "candidate": "备选",
    "must": "必须",
    "may": "可以",
    "phase_out": "逐年退出",
    "closed": "关停",
    "run_down": "停止招生",
    "built": "建成",
    "equipped": "设备到位",
    "up_to_standard": "达标验收",
    "in_use": "投入使用",
    "placement": "人人有学位",
    "reduction": "民办在校生压减",
    "share": "民办占比",
    "kindergarten_enrolment": "学前毛入园率",
    "kindergarten_public": "公办园占比",
    "kindergarten_inclusive": "普惠园覆盖率",
    "senior_enrolment": "高中毛入学率",
    "large_classes": "大班额占比",
    "kind": "类型",
    "unit": "单位",
    "area": "片区",
    "county": "县区",
    "stage": "学段",
    "name": "名称",
    "year": "年份",
    "rule": "规则",
    "who": "对象",
    "school_year": "学年",
    "short_by": "缺口",
    "place": "学位",
    "purchased place": "购买学位",
    "boarding place": "寄宿学位",
    "post": "编制",
    "hire": "新聘教师",
    "teacher": "教师",
    "contract teacher": "合同制教师",
    "capital": "建设资金",
    "recurrent": "运行经费",
    "land": "用地",
    "mu": "亩",
    "RMB": "元",
    "cap": "民办占比上限",
    "floor": "下限",
    "large class": "大班额",
    "project": "项目",
    "programme": "建设计划",
    "day": "日",
    "one_more": "多一单位可节省",
    "one_less": "少一单位要多花",
    "more_units": "增加的有效范围",
    "less_units": "减少的有效范围",
}


# ruff: noqa: E501 (a table: a line is a text)

EXPLANATIONS = {
    "THE PLAN MEETS ALL TARGETS.": "方案达到全部目标。",
    "THE PLAN MISSES A TARGET.": "方案有目标未达到。",
    # which rules cannot hold
    "This cannot hold, whatever else gives way: {rule}.": "无论其他要求如何放宽，下列要求都无法满足：{rule}。",
    "Apart from that, this cannot hold, whatever else gives way: {rule}.": "此外，无论其他要求如何放宽，下列要求也无法满足：{rule}。",
    "These cannot all hold: {rules}. Without any one of them the others can.": "下列要求不能同时满足：{rules}。去掉其中任何一条，其余即可满足。",
    "Apart from that, these cannot all hold: {rules}. Without any one of them the others can.": "此外，下列要求不能同时满足：{rules}。去掉其中任何一条，其余即可满足。",
    "({number}) {rule}": "（{number}）{rule}",
    "No single rule is enough to bend while all the others hold.": "其他要求不变时，只放宽任何一条要求都不够。",
    "All other rules can hold if {cure}.": "只要{cure}，其他要求即可全部满足。",
    "Each of these alone would be enough, all other rules holding:": "其他要求不变，下列任何一项单独即可：",
    "- {cure};": "- {cure}；",
    "- {cure}.": "- {cure}。",
    "{cure} ({where})": "{cure}（{where}）",
    "{names}": "{names}",
    "{names} …": "{names}等",
    "most {parts}": "主要为{parts}",
    "of them {parts}": "其中{parts}",
    "{amount} in {who}, {year}": "{who} {year}年{amount}",
    "{who}, {year}": "{who} {year}年",
    "{now} instead of {before}": "由{before}降为{now}",
    "The least that has to give way, all at once, so that every child has a place:": "要使人人有学位，至少须同时放宽：",
    "The least that gives way, all at once, so that every child has a place": "要使人人有学位至少须同时放宽的各项",
    "What would be enough alone, all other rules holding": "其他要求不变，单独即可解决的放宽",
    "{gap}.": "{gap}。",
    "And {number} smaller gaps, listed in the table.": "另有{number}项较小缺口，见表。",
    "These figures are of the linear relaxation: with whole projects and contracts no less is enough, and sometimes more is needed.": "以上数字出自线性松弛：按整个项目和合同计算，所需不会更少，有时更多。",
    "county {county}": "县区{county}",
    "county {county}, {stage}": "县区{county}{stage}",
    "{name}": "{name}",
    "school {school} ({who})": "学校{school}（{who}）",
    "area {area} ({who})": "片区{area}（{who}）",
    # what a plan misses
    "{total} children (all years together) have no place in the cheapest plan: {where}.": "成本最低的方案中，各年合计{total}人次没有学位：{where}。",
    "{parts}": "{parts}",
    "{parts} and {number} more": "{parts}，另有{number}处",
    "Target {target} is missed by the plan ({achieved} where {required} is required by {by}): the scenario has switched its rule off.": "方案未达到目标{target}（{by}要求{required}，实际{achieved}）：情景中该规则已关闭。",
    "Whether every child can have a place was not settled.": "能否人人有学位尚未判定。",
    "No rules contradict each other: every child could have a place for {amount} RMB more, but the plan avoids that because a missing place is priced at {price} RMB.": "各项要求并不矛盾：再花{amount}元即可人人有学位，但缺一个学位只计价{price}元，方案因此没有这样做。",
    "No rules contradict each other: every child could have a place for at least {amount} RMB more, but the plan avoids that because a missing place is priced at {price} RMB.": "各项要求并不矛盾：至少再花{amount}元即可人人有学位，但缺一个学位只计价{price}元，方案因此没有这样做。",
    # rules, gaps and cures
    "every child has a place": "人人有学位",
    "{who} leaves {amount} children without a place in {year}": "{who} {year}年有{amount}名学生没有学位",
    "{amount} children go without a place, all years together": "各年合计有{amount}人次没有学位",
    "no private school goes on below its least size": "民办学校低于最小规模即停办",
    "{who} has {amount} pupils fewer than its smallest size in {year}": "{who} {year}年比最小规模少{amount}名学生",
    "private schools may go on with fewer pupils than their least size, {amount} in all": "允许民办学校低于最小规模办学，合计{amount}名学生",
    "no private school admits more than its plan": "民办学校招生不超过招生计划",
    "{who} would have to admit {amount} children above its plan in {year}": "{who} {year}年须超计划招生{amount}人",
    "private schools may admit {amount} children above their plans": "允许民办学校超计划招生{amount}人",
    "sector shares in kindergartens stay, but for openings and those turned inclusive": "除新开办和转为普惠外，幼儿园公办民办比例不变",
    "{who} misses its kindergarten shares by {amount} children in {year}": "{who} {year}年幼儿园比例相差{amount}名儿童",
    "kindergartens may depart from their sector shares by {amount} children": "允许幼儿园比例相差{amount}名儿童",
    "children who may not board go no farther than day pupils may": "不能寄宿的学生上学不超过走读距离",
    "{who} has {amount} children too far from every school within reach in {year}": "{who} {year}年有{amount}名学生离可就读学校过远",
    "{amount} children go farther than day pupils may, all years together": "各年合计允许{amount}人次超过走读距离",
    "every neighbourhood goes to one public school, and no catchment has islands": "每个居住片区对口一所公办学校，学区不含飞地",
    "every neighbourhood goes to one public school": "每个居住片区对口一所公办学校",
    "{who} sends {amount} children to another school than that of their catchment in {year}": "{who} {year}年有{amount}名学生不在对口学校就读",
    "{amount} children go to another school than that of their catchment, all years together": "各年合计允许{amount}人次不在对口学校就读",
    "no more children board than there are boarding places": "寄宿生不超过寄宿床位",
    "{who} lacks {amount} boarding places in {year}": "{who} {year}年缺寄宿床位{amount}个",
    "{amount} more boarding places stand ready, all years together": "各年合计增加寄宿床位{amount}个",
    "the share of large classes stays below its limit": "大班额占比不超过上限",
    "{who} has {amount} large classes too many in {year}": "{who} {year}年大班额超出{amount}个班",
    "{amount} more classes may be large ones": "允许再有{amount}个大班额",
    "the ordered reduction is missed by {amount} pupils on 1 September {year}": "{year}年9月1日民办在校生压减任务差{amount}人",
    "the ordered reduction is {amount} pupils smaller, {level}": "压减任务减少{amount}人（{level}）",
    "{number} fewer pupils count as private on 1 September {year}": "{year}年9月1日计入民办的学生减少{number}人",
    "no more teachers are hired than the limits allow": "新聘教师不超过限额",
    "{who} lacks {amount} teachers that may be hired in {year}": "{who} {year}年缺新聘教师名额{amount}个",
    "{amount} more teachers are hired, all years together": "各年合计多聘{amount}名教师",
    "no more posts than authorised": "教师不超过核定编制",
    "{who} lacks {amount} posts in {year}": "{who} {year}年缺编制{amount}个",
    "{amount} more posts are authorised, all years together": "各年合计增加{amount}个编制",
    "no more contract teachers than the limits allow": "合同制教师不超过限额",
    "{who} lacks {amount} contract teachers in {year}": "{who} {year}年缺合同制教师{amount}名",
    "{amount} more contract teachers are taken on, all years together": "各年合计多聘{amount}名合同制教师",
    "building stays within the capital budgets": "建设不超过建设资金预算",
    "{who} lacks {amount} million RMB of capital in {year}": "{who} {year}年缺建设资金{amount}百万元",
    "{amount} million RMB more of capital are given": "增加建设资金{amount}百万元",
    "running costs stay within the recurrent budgets": "运行费用不超过经费预算",
    "{who} lacks {amount} million RMB of recurrent money in school year {year}": "{who} {year}学年缺运行经费{amount}百万元",
    "{amount} million RMB more of recurrent money are given, all years together": "各年合计增加运行经费{amount}百万元",
    "no more land is built on than released": "用地不超过供地指标",
    "{who} lacks {amount} mu of land by {year}": "{who}到{year}年缺用地{amount}亩",
    "{amount} mu more of land are released": "增加供地{amount}亩",
    "at most {share} % of compulsory pupils count as private from 31 December {year}": "从{year}年12月31日起民办占比不超过{share}%",
    "at most {share} % of compulsory pupils count as private in each county from 31 December {year}": "从{year}年12月31日起各县区民办占比不超过{share}%",
    "the cap on the private share from {year} is missed by {amount} percentage points": "{year}年起的民办占比上限超出{amount}个百分点",
    "the cap of {share} % from {year} moves to {level} %": "{year}年起的上限由{share}%调为{level}%",
    "no more places are bought than are for sale under the ceilings": "购买学位不超过可购数量和上限",
    "no place is bought in private schools": "不购买民办学校学位",
    "{who} would have to buy {amount} places more than it may in {year}": "{who} {year}年须超限购买学位{amount}个",
    "{amount} more places are bought in private schools, all years together": "各年合计多购买民办学校学位{amount}个",
    "{amount} places are bought in private schools, all years together": "各年合计购买民办学校学位{amount}个",
    "there are no more places than stand or are planned": "学位不超过现有和规划数量",
    "{who} lacks {amount} places on 1 September {year}": "{who} {year}年9月1日缺学位{amount}个",
    "{amount} more places stand ready, all years together": "各年合计增加学位{amount}个",
    "the floor on {floor} is kept": "达到{floor}下限",
    "the floor on {floor} is missed by {amount} children on 31 December {year}": "{year}年12月31日{floor}距下限差{amount}名儿童",
    "the floor on {floor} is lower by {amount} children": "{floor}下限降低{amount}名儿童",
    "programme {programme} has {number} projects in use by {by}": "到{by}建设计划{programme}有{number}个项目投用",
    "programme {programme} is {amount} projects short": "建设计划{programme}差{amount}个项目",
    "programme {programme} is {amount} projects smaller": "建设计划{programme}减少{amount}个项目",
    "ordered projects are open by the dates on which they are due": "已下达项目按期投用",
    "project {who} is late in {year}": "项目{who}在{year}年未按期投用",
    "{things} ordered projects open late": "{things}个已下达项目推迟投用",
    "schools that must convert have done so by autumn {year}": "必须转公的学校在{year}年秋季前完成转公",
    "{things} schools that must convert do so late": "{things}所必须转公的学校推迟转公",
    "no school converts before autumn {year}": "{year}年秋季前没有学校转公",
    "{things} schools convert earlier": "{things}所学校提前转公",
    "school {who} departs from its conversion date in {year}": "学校{who}在{year}年偏离转公日期",
}

PRICES = {
    "Prices of what is scarce": "稀缺资源的影子价格",
    "Nothing is scarce: no limit, target or place has a price.": "没有稀缺资源：各限额、目标和学位的影子价格均为零。",
    "What would be saved, all years together, with the plan's decisions as they are:": "方案的决策不变，增加一单位各年合计可节省：",
    "and {number} more of these, {least} to {most} each": "另有{number}项同类，每单位{least}至{most}",
    "{what} ({there}): {price}": "{what}（{there}）：{price}",
    ", for the first {number}": "，前{number}个单位内有效",
    "; with one less there is no plan": "；减少一单位则没有方案",
    "; one less costs {price}": "；减少一单位多花{price}",
    "one more place": "增加一个学位",
    "one more post": "增加一个编制",
    "one more teacher hired": "多聘一名教师",
    "one more contract teacher": "多聘一名合同制教师",
    "one more RMB to build": "增加建设资金一元",
    "one more RMB to run schools": "增加运行经费一元",
    "one more mu of land": "增加用地一亩",
    "one more place bought": "多购买一个学位",
    "one more boarding place": "增加一个寄宿床位",
    "a cap higher by one percentage point": "民办占比上限提高一个百分点",
    "one pupil less to move": "压减任务减少一人",
    "one child less on the floor": "下限减少一名儿童",
    "one more large class": "多一个大班额",
    "one project less": "建设计划减少一个项目",
}

COMPARISONS = {
    "Scenarios side by side": "情景比较",
    "{number} scenarios of {name}": "{name}：{number}个情景",
    "{number} scenarios, {draws} draws with the same luck, seed {seed}.": "{number}个情景，各模拟{draws}次（随机因素相同），随机种子{seed}。",
    "NO SCENARIO has a plan that meets what is ordered.": "没有情景能满足全部要求。",
    "{name} comes first of {number} scenarios by {what}: {value}": "{number}个情景中，按“{what}”排序，{name}居首：{value}",
    "; all its targets hold": "；全部目标达到",
    "; targets missed: {missed}, as few as in any other": "；有{missed}项目标未达到，为各情景中最少",
    "Cost on the same luck, {draws} draws": "相同随机因素下的费用（模拟{draws}次）",
    "{name} costs {amount} more than {first} (95 %: {low} to {high})": "{name}比{first}多{amount}（95%区间：{low}至{high}）",
    "{name} costs {amount} less than {first} (95 %: {low} to {high})": "{name}比{first}少{amount}（95%区间：{low}至{high}）",
    "Dominated: no better in targets, cost, moves and places": "被占优：目标、费用、转学、学位均不占优",
    "No plan meets what is ordered": "没有方案能满足全部要求",
    "no plan meets what is ordered": "没有方案能满足全部要求",
    "no plan": "无方案",
    "What differs from {name}": "与{name}的输入差异",
    "{name}: {why}": "{name}：{why}",
    "… {number} more": "……另有{number}项",
    "What goes in": "输入",
    "What comes out": "结果",
    "How sure": "差异的把握",
    "Draw by draw against {name}, births and building having the same luck in all scenarios. An interval says how sure the simulation is, not how sure the assumptions are.": "逐次模拟与{name}比较，各情景的出生和建设随机因素相同。区间只反映模拟的把握，不反映假设的把握。",
    # ranking
    "Scenarios, ranked by targets missed and then by: {what}": "情景排序：先按未达到目标数，再按{what}",
    "rank": "名次",
    "targets": "目标",
    "targets missed": "未达到目标数",
    "missed": "未达到",
    "decided here": "可决策成本",
    "decided cost": "可决策成本",
    "proved gap": "已证明差距",
    "made to change school": "中途转学人次",
    "displaced": "转学",
    "child-years without a place": "无学位人次",
    "empty seats, {year}": "{year}年空余学位",
    "empty, end": "期末空余学位",
    "places bought": "购买学位（最多一年）",
    "schools converted": "民转公学校数",
    "candidates opened": "投用备选项目数",
    "least likely target": "最难目标的概率",
    "dominated by": "劣于",
    # tables
    "Settings varied": "变动的参数",
    "table": "表",
    "row": "行",
    "column or setting": "列或参数",
    "in the first": "首个情景",
    "here": "本情景",
    "met with no room": "刚好达到",
    "room": "余量",
    "sum": "合计",
    "Year by year: moves, empty seats, private shares and cost": "分年：转学、空余学位、民办占比与费用",
    "Limits that are used up": "用尽的限额",
    "Differences in cost": "费用差异",
    "Differences in children": "人数差异",
    "Differences in shares and chances": "占比与概率差异",
    "simulated figure": "模拟指标",
    "mean of {name}": "{name}均值",
    "mean here": "本情景均值",
    "difference": "差异",
    "draws": "模拟次数",
    "probability: {target}": "概率：{target}",
    "total cost": "总费用（含无学位计价）",
    "cost that is paid": "实付费用",
    "places bought beyond the plan's": "计划外购买学位",
    "without a place, compulsory stages, child-years": "义务教育无学位人次",
    "without a place, other stages, child-years": "其他学段无学位人次",
    "above standard, child-years": "超班额人次",
    # figures
    "How much dearer, on the same luck: means and 95 % intervals": "费用差异：均值与95%区间（相同随机因素）",
    "cost above that of {first}, {unit}, discounted": "比{first}多花的费用（{unit}，折现）",
    "What moves the result most, one setting at a time": "单个参数变动的影响",
    "The result over two settings": "两个参数下的结果",
    # by what scenarios are ranked
    "total cost, discounted": "总费用（折现）",
    "cost of the decisions, discounted": "可决策成本（折现）",
    "children made to change school, all years": "各年中途转学人次",
    "empty compulsory places in the last year": "末年义务教育空余学位",
    "most places purchased in a year": "一年最多购买学位",
    "chance of the least likely target": "最难目标的概率",
    "million RMB": "百万元",
    "%": "%",
}

REASON_NAMES = {
    "every child": "人人有学位",
    "smallest school": "最小办学规模",
    "admission plans": "招生计划",
    "kindergarten shares": "幼儿园公办民办比例",
    "private share": "民办占比上限",
    "hires": "新聘教师",
    "posts": "编制",
    "contract teachers": "合同制教师",
    "recurrent money": "运行经费",
    "purchase": "购买学位",
    "catchments": "学区",
    "day travel": "走读距离",
    "boarding places": "寄宿床位",
    "boarding place": "寄宿床位",
    "class size": "班额",
    "projects due": "项目按期投用",
    "seats": "学位",
    "conversions due": "按期转公",
    "first conversions": "最早转公日期",
    "enough": "单独放宽所需",
    "alone": "单独放宽所需",
    "short by": "缺口",
    "children": "人",
    "pupils": "人",
    "teachers": "人",
    "places": "个",
    "classes": "班",
    "projects": "个",
    "conversions": "所",
    "openings late": "个",
    "percentage points": "个百分点",
    "percentage point": "百分点",
    "million RMB": "百万元",
    "pupil": "人",
    "child": "人",
    "class": "班",
    "no_plan": "无方案的取值",
    "key": "参数",
    "low_value": "低值",
    "high_value": "高值",
    "low": "最低结果",
    "base": "基准结果",
    "high": "最高结果",
    "range": "幅度",
    "scenario": "情景",
    "ceiling": "全市上限",
}

TEXTS |= EXPLANATIONS | PRICES | COMPARISONS
NAMES |= REASON_NAMES
