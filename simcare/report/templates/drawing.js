  var CONFIG = {{ config }}, NARROW = {{ narrow_px }}, MIDDLE = {{ middle_px }};
  var all = function (query, root) { return Array.prototype.slice.call((root || document).querySelectorAll(query)); };
  function layoutFor(figure, width) {
    var layout = JSON.parse(JSON.stringify(figure.layout));
    if (width < MIDDLE) {
      var changes = width < NARROW ? layout.meta.narrow : layout.meta.middle;
      Object.keys(changes).forEach(function (path) {
        var keys = path.split("."), last = keys.pop(), here = layout;
        keys.forEach(function (key) { here = here[key] = here[key] || {}; });
        here[last] = changes[path];
      });
    }
    if (width < NARROW) {
      layout.margin.l = Math.min(layout.margin.l, 46); layout.margin.r = Math.min(layout.margin.r, 8);
    }
    layout.width = width;
    return layout;
  }
  function draw(plot, width) {
    width = width || Math.floor(plot.clientWidth);
    if (!width || plot.drawnAt === width) { return; }
    var figure = plot.figure || (plot.figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent));
    var layout = layoutFor(figure, width);
    plot.style.minHeight = layout.height + "px";
    plot.drawnAt = width;
    Plotly.purge(plot); // drawn afresh: a redrawn flow diagram would fade in, too late for the printer
    Plotly.newPlot(plot, figure.data, layout, CONFIG);
  }
  function drawShown(width) { all(".plot").forEach(function (plot) { if (plot.offsetParent !== null) { draw(plot, width); } }); }
