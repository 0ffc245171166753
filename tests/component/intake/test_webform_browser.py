"""The public form in a real browser on a telephone, without JavaScript: what a complainant sees and does."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.async_api import Page, async_playwright, expect

from shared.service.run import listen, server_for
from shared.web.auth import Role
from tests.component.intake.conftest import Intake

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)
WIDTH, HEIGHT = 390, 844


@pytest.fixture
async def phone(intake: Intake) -> AsyncGenerator[SimpleNamespace]:
    """`page`, `url`, `said` (what the browser has on its console) and `asked` (the addresses that it fetched).

    Skips, or fails with REDRESS_REQUIRE_BROWSER=1, where there is no Chromium."""
    program = shutil.which("chromium")
    if program is None:
        told = "chromium is not installed (apt-get install chromium)"
        if os.environ.get("REDRESS_REQUIRE_BROWSER") == "1":
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    listening = listen("127.0.0.1", 0)
    server = server_for(intake.services[0].app)
    serving = asyncio.create_task(server.serve([listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            context = await browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, has_touch=True, java_script_enabled=False, locale="zh-CN"
            )
            page = await context.new_page()
            said: list[str] = []
            asked: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            page.on("request", lambda request: asked.append(request.url))
            yield SimpleNamespace(page=page, url=url, said=said, asked=asked)
            await browser.close()
    finally:
        server.should_exit = True
        await serving


async def _fits(page: Page) -> bool:
    """Nothing reaches out of the screen at the side."""
    box = await page.locator("body").bounding_box()
    edges = [await each.bounding_box() for each in await page.locator("main *:visible").all()]
    return box is not None and all(edge is None or edge["x"] + edge["width"] <= WIDTH for edge in edges)


async def test_a_complaint_with_a_file_is_sent_corrected_and_followed_by_its_link(
    intake: Intake, phone: SimpleNamespace, tmp_path: Path
) -> None:
    page: Page = phone.page
    picture = tmp_path / "屏幕截图.png"
    picture.write_bytes(PNG)
    await page.goto(f"{phone.url}/form")
    assert await _fits(page)
    await page.tap('a[href*="kind=complaint"]')
    assert await _fits(page)
    await page.fill("#symptom", "查询最近七天的订单时提示加载失败 <b>重试也不行</b>")
    await page.fill("#name", "王女士")
    await page.fill("#contact", "12345")
    await page.set_input_files("#files", picture)
    await page.tap("button.send")
    await expect(page.locator("#contact-error")).to_be_visible()
    await expect(page.locator("#symptom")).to_have_value("查询最近七天的订单时提示加载失败 <b>重试也不行</b>")
    await expect(page.get_by_text("屏幕截图.png")).to_be_visible()
    assert await _fits(page)
    await page.fill("#contact", "wang@example.com")
    await page.tap("button.send")
    await page.wait_for_url(re.compile("/form/done/"))
    number, attachments = (await intake.rows("select number, record->'attachments' from complaints"))[0]
    await expect(page.get_by_text(number)).to_be_visible()
    assert await _fits(page)
    await page.tap('a[href*="status"]')
    await expect(page.get_by_text(number)).to_be_visible()
    assert (await intake.get(f"/v1/attachments/{attachments[0]['id']}", Role.AGENT)).content == PNG
    assert [text for text in phone.said if "422" not in text] == []  # of the form that came back
    assert [url for url in phone.asked if not url.startswith(phone.url)] == []


async def test_the_form_is_read_in_english_where_that_is_asked_for(phone: SimpleNamespace) -> None:
    await phone.page.goto(f"{phone.url}/form?lang=en")
    await expect(phone.page.get_by_role("heading", level=1)).to_have_text("Complaints and suggestions")
    await expect(phone.page.locator("html")).to_have_attribute("lang", re.compile("^en"))
