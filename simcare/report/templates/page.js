  var PRINT = 680; // pixels across a sheet of A4 between its margins

  all("[data-choose]").forEach(function (button) {
    button.addEventListener("click", function () {
      var before = button.getBoundingClientRect().top;
      all("[data-choose]").forEach(function (other) { other.setAttribute("aria-pressed", String(other === button)); });
      all("[data-view]").forEach(function (view) { view.hidden = view.dataset.view !== button.dataset.choose; });
      drawShown();
      window.scrollBy(0, button.getBoundingClientRect().top - before);
    });
  });

  var search = document.getElementById("search"), grade = document.getElementById("grade"), found = document.getElementById("found");
  var rows = all("#searched tbody tr").map(function (row) { return { row: row, text: row.textContent.toLowerCase() }; });
  function filter() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    rows.forEach(function (item) {
      var fits = (!grade.value || item.row.dataset.grade === grade.value) && words.every(function (word) { return item.text.indexOf(word) >= 0; });
      item.row.hidden = !fits; shown += fits;
    });
    found.textContent = shown + " of " + rows.length + " " + found.dataset.counted + " shown";
  }
  if (search) { search.addEventListener("input", filter); grade.addEventListener("change", filter); }

  var waiting, opened = [];
  window.addEventListener("resize", function () { clearTimeout(waiting); waiting = setTimeout(drawShown, 120); });
  window.addEventListener("beforeprint", function () {
    opened = all("details:not([open])"); opened.forEach(function (item) { item.open = true; });
    drawShown(PRINT);
  });
  window.addEventListener("afterprint", function () { opened.forEach(function (item) { item.open = false; }); drawShown(); });
  drawShown();
