/* Charts are drawn in turns: what is in sight at once, the rest one at a time while the browser has nothing else to do, so
   that a page of many charts answers as soon as its first screen stands. */
(function () {
  /* Charts that wait: element -> what to draw and who asked for it, in the order in which they were asked for first. */
  const waiting = new Map();
  const PATIENCE_MS = 500; // a chart is drawn after that long, however busy the browser is
  let isComing = false;
  let plotly;
  let react;

  const sights = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting && waiting.has(entry.target)).forEach((entry) => draw(entry.target));
  });

  function isInSight(element) {
    const box = element.getBoundingClientRect();
    return box.top < window.innerHeight && box.bottom > 0;
  }

  function draw(element) {
    const { figure, told } = waiting.get(element);
    waiting.delete(element);
    sights.unobserve(element);
    // A page that was left draws no more. What fails is told to who asked, and the others have their turn.
    const drawn = new Promise((tell) => tell(element.isConnected ? react(element, ...figure) : element));
    told.forEach((tell) => tell(drawn));
  }

  function come() {
    if (isComing || !waiting.size) return;
    isComing = true;
    const turn = () => {
      isComing = false;
      const [next] = waiting.keys();
      if (next) draw(next);
      come();
    };
    if (window.requestIdleCallback) window.requestIdleCallback(turn, { timeout: PATIENCE_MS });
    else window.setTimeout(turn, 0);
  }

  /* plotly's own way to draw, which waits for its turn; of figures that were asked for meanwhile the last is drawn. */
  function inTurn(element, ...figure) {
    if (!waiting.has(element) && (element.classList.contains("js-plotly-plot") || isInSight(element))) {
      return react(element, ...figure);
    }
    const told = waiting.has(element) ? waiting.get(element).told : [];
    const drawn = new Promise((tell) => told.push(tell));
    waiting.set(element, { figure, told });
    sights.observe(element);
    come();
    return drawn;
  }

  window.addEventListener("beforeprint", () => [...waiting.keys()].forEach(draw));

  // Whoever brings plotly sets this name: Dash's component, or the page SQL.
  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get: () => plotly,
    set: (brought) => {
      react = brought.react;
      plotly = Object.assign({}, brought, { react: inTurn });
    },
  });
})();
