"""Checks the gate's reports as their readers see them: the page in headless Chromium, JUnit XML in junitparser.

Playwright drives the machine's Chromium (Debian's `chromium`), and does not download one. axe-core looks for accessibility
problems. `page_is_sound` writes screenshots to the folder in the environment variable `TAILFOLD_SHOTS`.
"""

import io
import os
import shutil
from pathlib import Path

from evidence import FLOAT, INT8, TEST, Skip
from onnx_checker import Verdict

NAMES = ["chromium", "chromium-browser", "google-chrome"]
# These flags switch off the browser's own requests.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = [1600, 1280, 390, 360]
# Text of the page for each verdict, by exit status.
SAYS = {
    0: ("pass", "The candidate meets the policy"),
    1: ("fail", "The candidate does not meet the policy"),
    2: ("error", "Nothing was compared"),
    3: ("inconclusive", "These images are too few to decide"),
}
# JUnit's kind and number of failures or errors, by exit status.
JUNIT = {0: ("Failure", 0), 1: ("Failure", 1), 2: ("Error", 1), 3: ("Failure", 1)}
# Tags of axe's rules for WCAG 2.2 at level AA.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def reports(evidence):
    """A folder of reports for each verdict, by exit status."""
    strict = evidence.scratch / "strict.toml"
    # The quantized model does not reach full agreement, so this policy fails.
    strict.write_text("min_agreement = 1.0\n")
    models = ["--reference", evidence.file(FLOAT), "--candidate", evidence.file(INT8)]
    whole = [*models, "--data", TEST]
    runs = {
        0: [*whole, "--policy", evidence.file("parity.toml"), "--latency"],
        1: [*whole, "--policy", strict],
        2: ["--reference", evidence.file(FLOAT), "--candidate", "none.onnx", "--data", TEST],
        3: [*models, "--data", f"{TEST}&limit=60"],
    }
    folders = {}
    for code, arguments in runs.items():
        folder = evidence.scratch / f"report-{code}"
        evidence.run("tailfold", "parity", *arguments, "--report", folder, accepted=(code,))
        folders[code] = folder
    return folders


def junit_is_read(evidence):
    from junitparser import JUnitXml

    counts = []
    for code, folder in reports(evidence).items():
        xml = JUnitXml.fromfile(str(folder / "parity.xml"))
        suites = list(xml)
        if [suite.name for suite in suites] != ["tailfold parity"]:
            raise Verdict(f"exit status {code}: suites {[suite.name for suite in suites]}, expected one `tailfold parity`")
        cases = list(suites[0])
        results = [type(result).__name__ for case in cases for result in case.result]
        kind, least = JUNIT[code]
        # The counts in the attributes match the elements.
        said = (suites[0].tests, suites[0].failures, suites[0].errors)
        if said != (len(cases), results.count("Failure"), results.count("Error")):
            raise Verdict(f"exit status {code}: the suite claims {said}, but has {len(cases)} cases with {results}")
        if not (results.count(kind) >= least and (least or not results)):
            raise Verdict(f"exit status {code}: cases have the results {results}")
        kinds = {result.type for case in cases for result in case.result}
        if kinds != ({SAYS[code][0]} if code else set()):
            raise Verdict(f"exit status {code}: results are of the types {sorted(kinds)}, expected {SAYS[code][0] if code else 'none'}")
        counts.append(f"{SAYS[code][0]} {len(cases)} cases, {len(results)} not green")
    return "; ".join(counts)


def page_is_sound(evidence):
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        raise Skip(f"there is none of {', '.join(NAMES)}")
    from playwright.sync_api import sync_playwright

    shots = Path(os.environ.get("TAILFOLD_SHOTS", evidence.scratch / "shots"))
    shots.mkdir(parents=True, exist_ok=True)
    folders = reports(evidence)
    with sync_playwright() as playwright:
        for code, folder in folders.items():
            # Each report has its own browser, so that no state carries over.
            with playwright.chromium.launch(executable_path=browser, args=FLAGS) as chromium:
                version = chromium.version
                Page(chromium, folder / "parity.html", *SAYS[code], shots).check()
    return f"{len(folders)} verdicts at {len(WIDTHS)} widths, by keyboard, without script, on paper, in Chromium {version}"


class Page:
    """One report in the browser."""

    def __init__(self, chromium, file, verdict, says, shots):
        self.chromium, self.verdict, self.says, self.shots = chromium, verdict, says, shots
        self.address = file.resolve().as_uri()

    def check(self):
        for width in WIDTHS:
            self.fits(width, "light")
        self.fits(1280, "dark")
        self.obeys_the_keyboard()
        self.needs_no_script()
        self.prints()

    def fail(self, why):
        raise Verdict(f"the page of `{self.verdict}`: {why}")

    def opened(self, **options):
        """Opens the page in a new context, and records its requests and errors."""
        context = self.chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(self.address)
        return page

    def quiet(self, page):
        outside = [url for url in page.asked if url != self.address and not url.startswith("data:")]
        if outside:
            self.fail(f"it asks for {outside}")
        if page.complaints:
            self.fail(f"the console says {page.complaints}")

    def fits(self, width, scheme):
        page = self.opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
        wide, inside = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if wide > inside:
            self.fail(f"it is {wide} wide in a window of {inside}")
        if self.says not in page.inner_text("main"):
            self.fail(f"it does not say `{self.says}`")
        broken = page.evaluate("[...document.images].filter((image) => !image.naturalWidth).length")
        if broken:
            self.fail(f"{broken} pictures are broken")
        # The layout does not change between these widths.
        for found in self.barriers(page) if width in (1280, 390) else []:
            self.fail(f"at {width} in the {scheme}, axe found {found}")
        page.screenshot(path=self.shots / f"{self.verdict}-{width}-{scheme}.png", full_page=True)
        self.quiet(page)
        page.context.close()

    def barriers(self, page):
        """Problems that axe-core finds on the page: contrast, names, order of headings, tables."""
        import axe_core_python

        page.evaluate((Path(axe_core_python.__file__).parent / "axe.min.js").read_text())
        options = {"runOnly": {"type": "tag", "values": AXE_TAGS}}
        results = page.evaluate("(options) => axe.run(document, options)", options)
        # A rule that crashed has checked nothing: one colour that axe cannot read would hide all others. Rules may stay open
        # only with a reason, such as letters in charts and single marks.
        broken = [rule for rule in results["incomplete"] if any(not node["any"] for node in rule["nodes"])]
        found = results["violations"] + broken
        return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]} {rule['nodes'][0].get('failureSummary')}" for rule in found]

    def obeys_the_keyboard(self):
        page = self.opened()
        reached = []
        for _ in range(200):
            page.keyboard.press("Tab")
            element = page.evaluate(
                """() => {
                    const element = document.activeElement;
                    const style = getComputedStyle(element);
                    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                    return [element.tagName, element.className, seen || element.tagName === "BODY"];
                }"""
            )
            if element[0] == "BODY":
                break
            if not element[2]:
                self.fail(f"the focus on {element[:2]} is not visible")
            reached.append(element)
            if element[1] == "command":
                selected = page.evaluate("(({value, selectionStart: a, selectionEnd: b}) => value.slice(a, b))(document.activeElement)")
                if not selected.startswith("tailfold parity --reference "):
                    self.fail(f"in the field of the command, `{selected}` is selected")
        if not reached or reached[0][1] != "skip":
            self.fail(f"the first stop is {reached[:1]}, not the link to the content")
        wanted = {("A", "skip")}
        if self.verdict != "error":
            wanted |= {("DIV", "scroll"), ("SUMMARY", ""), ("TEXTAREA", "command"), ("BUTTON", "")}
        missing = wanted - {(tag, name) for tag, name, _ in reached}
        if missing:
            self.fail(f"Tab does not reach {sorted(missing)}")
        if self.verdict != "error":
            page.locator("table.sortable th button").nth(4).press("Enter")
            recalls = page.locator("table.sortable tbody td:nth-child(5)").evaluate_all("(cells) => cells.map((c) => Number(c.dataset.value))")
            if recalls != sorted(recalls):
                self.fail(f"sorted by the keyboard, recalls are {recalls}")
        page.locator("a.skip").press("Enter")
        if page.evaluate("document.activeElement.id") != "main":
            self.fail("the link to the content does not lead there")
        self.quiet(page)
        page.context.close()

    def needs_no_script(self):
        page = self.opened(java_script_enabled=False)
        with_script = self.opened()
        for selector in ["h2", "tr", "svg", "img", "li", "summary"]:
            counts = [p.locator(selector).count() for p in (page, with_script)]
            if counts[0] != counts[1]:
                self.fail(f"without script there are {counts[0]} of `{selector}`, {counts[1]} with it")
        if self.says not in page.inner_text("main"):
            self.fail("without script, the verdict is not there")
        self.quiet(page)
        page.context.close()
        with_script.context.close()

    def prints(self):
        from pypdf import PdfReader

        # A page that is printed from a dark desktop must suit white paper.
        page = self.opened(color_scheme="dark")
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = false")
        paper = page.pdf(format="A4", print_background=True, path=self.shots / f"{self.verdict}.pdf")
        # Line breaks depend on the layout, so spaces are ignored.
        text = "".join("".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper)).pages).split())
        wanted = [self.says]
        if self.verdict != "error":
            # On paper, the table of classes is expanded and the command is complete.
            wanted += ["Command to repeat", "--candidate", "Ankle boot", "Given by"]
        for words in wanted:
            if "".join(words.split()) not in text:
                self.fail(f"`{words}` is not on paper")
        page.emulate_media(media="print")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        if colour != "rgb(255, 255, 255)":
            self.fail(f"paper is {colour}")
        self.quiet(page)
        page.context.close()
