import type { Page } from 'playwright-core';

/** Presses Tab until what has the focus is called this. @throws Error when that cannot be reached */
export async function tabTo(page: Page, role: string, name: string): Promise<void> {
  const wanted = page.getByRole(role as 'button', { name, exact: true });
  for (let presses = 0; presses < 100; presses++) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluateAll((all) => all.some((one) => one === document.activeElement))) return;
  }
  throw new Error(`the ${role} ${name} cannot be reached by keyboard`);
}

/** Controls that a screen reader has no name for. */
export async function nameless(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const controls = new Set([
    'button',
    'textbox',
    'searchbox',
    'combobox',
    'spinbutton',
    'link',
    'region',
    'list',
    'table',
  ]);
  return nodes
    .filter(({ ignored, role, name }) => !ignored && controls.has(role?.value) && !name?.value)
    .map(({ role, backendDOMNodeId }) => `${role?.value} ${backendDOMNodeId}`)
    .filter((node) => !node.startsWith('list '));
}

/** Texts that stand out too little from what is behind them (WCAG 2.2, 1.4.3: 4.5 to 1). */
export const tooFaint = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = ([r = 0, g = 0, b = 0]: number[]): number => {
      const [x, y, z] = [r, g, b].map((value) => {
        const part = value / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element: Element | null): number[] => {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color[3] === undefined || color[3] > 0) return color;
      }
      return [255, 255, 255];
    };
    const faint: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!element || !node.textContent?.trim() || !element.checkVisibility()) continue;
      const [light, dark] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))].sort(
        (a, b) => b - a,
      ) as [number, number];
      const ratio = (light + 0.05) / (dark + 0.05);
      if (ratio < 4.5) faint.push(`${node.textContent.trim()} (${ratio.toFixed(2)})`);
    }
    return faint;
  });
