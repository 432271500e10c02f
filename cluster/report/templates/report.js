// Draws the charts from the data in the page. Text and grid follow the theme by style sheet.
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    responsive: true,
    displaylogo: false,
    scrollZoom: false,
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  };
  for (const element of document.querySelectorAll(".chart")) {
    const figure = figures[element.dataset.figure];
    const style = getComputedStyle(document.body);
    figure.layout.font = { family: style.fontFamily, size: 12.5 };
    figure.layout.modebar = { bgcolor: "rgba(0,0,0,0)" };
    figure.layout.hoverlabel = { bgcolor: "#22262c", font: { color: "#f2f3f5" }, bordercolor: "#22262c" };
    if (element.clientWidth < 560) {
      figure.layout.margin = { ...figure.layout.margin, l: 56, r: 8 };
      figure.layout.font.size = 11;
      const marks = figure.layout.annotations || [];
      figure.layout.annotations = marks.filter((_, i) => i % Math.ceil(marks.length / 4) === 0);
    }
    Plotly.newPlot(element, figure.data, figure.layout, config);
  }
  // Paper is narrower than most screens: charts are drawn again for it, and again afterwards.
  const redraw = (size) => {
    for (const element of document.querySelectorAll(".chart")) Plotly.relayout(element, size);
  };
  addEventListener("beforeprint", () => redraw({ autosize: false, width: 690 }));
  addEventListener("afterprint", () => redraw({ autosize: true, width: null }));
})();
