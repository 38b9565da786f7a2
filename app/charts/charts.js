/* The part of plotly.js that our charts need, a third of the whole in size: `make charts` bundles it into app/assets, and
   it is sent to browsers as long as it is of the version that Python writes for. A test says when a figure draws a kind of
   trace that is not here. */
const Plotly = require("plotly.js/lib/core");

Plotly.register([
  require("plotly.js/lib/bar"),
  require("plotly.js/lib/heatmap"),
  require("plotly.js/lib/waterfall"),
  require("plotly.js/lib/sankey"),
]);
module.exports = Plotly;
