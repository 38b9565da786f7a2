/* What is wrong with the places of texts on a page: texts over one another, texts that are cut, and parts that are wider
   than their card or the screen. Answers a list of sentences, empty where all is well. */
() => {
  const SLACK = 1.5; // pixels that rounding and the ascent of letters may take
  const faults = [];
  const root = document.documentElement;
  const wide = root.clientWidth;
  const told = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 60));
  const styles = new Map();
  const style = (one) => styles.get(one) || styles.set(one, getComputedStyle(one)).get(one);

  const clips = (one) => style(one).overflowX !== "visible" || style(one).overflowY !== "visible";
  const scrolls = (one) => ["auto", "scroll"].includes(style(one).overflowX) || ["auto", "scroll"].includes(style(one).overflowY);

  /* The part of a rectangle that can be seen, and whether something cuts it for good (what scrolls can be scrolled). */
  function seen(element, rect) {
    let { left, top, right, bottom } = rect;
    let cutBy = null;
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      if (!clips(one)) continue;
      const box = one.getBoundingClientRect();
      const isCut = left < box.left - SLACK || right > box.right + SLACK || top < box.top - SLACK || bottom > box.bottom + SLACK;
      if (scrolls(one)) {
        if (isCut) [left, top] = [Math.max(left, box.left), Math.max(top, box.top)];
        [right, bottom] = [Math.min(right, box.right), Math.min(bottom, box.bottom)];
      } else if (isCut && !cutBy) {
        cutBy = one;
      }
    }
    return { left, top, right, bottom, cutBy };
  }

  /* Whether a text is there to be read: screen readers' own texts, and what is painted over, are not. */
  function isShown(element) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    for (let one = element; one; one = one.parentElement) {
      if (one.matches(".skip:not(:focus), .is-spoken, [aria-hidden=true] .mantine-sr, .sql-back")) return false;
    }
    const color = style(element).color;
    return element.namespaceURI.endsWith("svg") || !/rgba\(.*, 0\)$/.test(color);
  }

  /* Whether a text that is cut ends in dots; its whole is in its title then. */
  const isShort = (one) => style(one).textOverflow === "ellipsis" || style(one).webkitLineClamp !== "none";

  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, noscript, title, textarea")) continue;
    if (!isShown(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      if (rect.width < 2 || rect.height < 2) continue;
      const part = seen(element, rect);
      if (part.right - part.left < 2 || part.bottom - part.top < 2) continue;
      if (part.cutBy && !(isShort(part.cutBy) && element.closest("[title]"))) {
        faults.push(`cut: ${told(node.data)} by ${part.cutBy.className.baseVal ?? part.cutBy.className ?? part.cutBy.tagName}`);
        break;
      }
      if (part.cutBy && rect.bottom > part.cutBy.getBoundingClientRect().bottom + SLACK) continue; // a line that is not shown
      if (part.right > wide + SLACK || part.left < -SLACK) {
        faults.push(`off the screen: ${told(node.data)}`);
        break;
      }
      boxes.push({ ...part, node, element });
    }
  }

  boxes.sort((one, other) => one.top - other.top);
  const fixed = (one) => {
    for (let up = one; up; up = up.parentElement) if (["fixed", "sticky"].includes(style(up).position) && !up.closest("table")) return up;
    return null;
  };
  for (let number = 0; number < boxes.length; number += 1) {
    const one = boxes[number];
    for (let next = number + 1; next < boxes.length && boxes[next].top < one.bottom - SLACK; next += 1) {
      const other = boxes[next];
      if (one.node === other.node) continue;
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      // A line's box is higher than its letters: only what is deep in it touches them.
      const low = Math.min(one.bottom - one.top, other.bottom - other.top);
      if (across > SLACK && down > low * 0.3 && fixed(one.element) === fixed(other.element)) {
        faults.push(`over one another: ${told(one.node.data)} and ${told(other.node.data)}`);
      }
    }
  }

  /* A part that is wider than what holds it. */
  document.querySelectorAll(".card, .tile, .brief, .evidence, .card-head, .card-foot, .page-head, .filters, .top, .wall-tile, .wall-panel, .banner").forEach((holder) => {
    if (!holder.checkVisibility()) return;
    if (holder.scrollWidth > holder.clientWidth + SLACK) faults.push(`wider than its place: ${holder.className} ${told(holder.textContent)}`);
  });
  if (root.scrollWidth > wide + SLACK) faults.push(`the page is ${root.scrollWidth} wide on a screen of ${wide}`);
  return [...new Set(faults)];
};
