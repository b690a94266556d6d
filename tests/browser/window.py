"""One browser page of JupyterLab in which notebook after notebook is opened."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize

from tests.browser.lab import LabPage, LabServer

SIZE: ViewportSize = {"width": 1280, "height": 900}

# What lies beside the notebooks.
BESIDE = """() => ['left', 'right', 'down'].flatMap(
  (area) => [...window.jupyterapp.shell.widgets(area)].map(({id}) => id))"""

# Puts the page back to what it was before a notebook was opened; gives whether it could.
TIDY = """async (beside) => {
  const app = window.jupyterapp;
  if (app?.name !== 'JupyterLab' || document.querySelector('.jp-Dialog')) return false;
  if (document.body.dataset.jpThemeName !== 'JupyterLab Light')
    await app.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'});
  await app.commands.execute('application:set-mode', {mode: 'multiple-document'});
  for (const one of [...app.shell.widgets('main')]) one.dispose();
  for (const area of ['left', 'right', 'down'])
    for (const one of [...app.shell.widgets(area)]) if (!beside.includes(one.id)) one.dispose();
  app.shell.expandLeft();
  app.shell.collapseRight();
  for (const name of Object.keys(window)) if (/^kw[A-Z]/.test(name)) delete window[name];
  await app.serviceManager.sessions.refreshRunning();
  return document.querySelector('.kw-view') === null;
}"""


def be_patient(route: Route) -> None:
    """Have JupyterLab wait longer than two seconds for a widget when a page is loaded again.

    Its widget manager looks every tenth of a second whether a model is there, and gives up after
    two seconds without a last look: for good, if the models have come in that tenth of a second.
    A machine that runs two browsers takes about so long to load one.
    """
    code = re.sub(r"(Date\.now\(\)-\w+<)2e3", r"\g<1>6e4", route.fetch().text())
    route.fulfill(content_type="application/javascript", body=code)


class Window:
    """A page of JupyterLab that stays open from test to test, if it can be tidied.

    Loading JupyterLab takes a browser far longer than opening one more notebook in it.
    """

    def __init__(self, browser: Browser, server: LabServer) -> None:
        self._browser, self._server = browser, server
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._beside: list[str] = []

    def lab(self) -> LabPage:
        """Give the page without a notebook, a new one if need be."""
        if self._page is None:
            self.close()  # what is left of one that did not start
            self._server.reset_settings()
            self._context = self._browser.new_context(viewport=SIZE)
            self._context.route("**/jupyterlab-manager/static/*.js*", be_patient)
            lab = LabPage(self._context.new_page(), self._server)
            lab.start()
            self._page = lab.page
            self._beside = self._page.evaluate(BESIDE)
            return lab
        return LabPage(self._page, self._server, started=True)

    def leave(self, lab: LabPage, good: bool) -> None:
        """End a test's use of the page, and its kernels; keep the page if nothing is left of it.

        A page that restores a notebook after a reload is not kept: what it does for that late
        gives the notebook of the next test no session, or a second kernel.
        """
        lab.forget()
        kept = good and not lab.restores and self._server.settings_are_kept()
        try:
            if not (kept and self._tidy()):
                self.close()
        finally:
            self._server.shut_kernels()

    def close(self) -> None:
        """Close the page; the next test gets another."""
        if self._context is not None:
            self._context.close()
        self._context = self._page = None

    def _tidy(self) -> bool:
        assert self._context is not None
        for page in self._context.pages:
            if page is not self._page:
                page.close()
        assert self._page is not None
        self._page.mouse.move(0, 0)
        self._page.set_viewport_size(SIZE)
        self._page.emulate_media(reduced_motion="null")
        return bool(self._page.evaluate(TIDY, self._beside))
