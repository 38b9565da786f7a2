/* The part of plotly.js that is sent to browsers: `make charts` bundles it into app/assets, a third of the whole in size.
   A test says when a figure draws a kind of trace that is not here, and when plotly has become another version. */
const Plotly = require("plotly.js/lib/core");

Plotly.register([
  require("plotly.js/lib/bar"),
  require("plotly.js/lib/heatmap"),
  require("plotly.js/lib/waterfall"),
  require("plotly.js/lib/sankey"),
]);
module.exports = Plotly;
