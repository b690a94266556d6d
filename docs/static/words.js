// Words of a page that move its figures: a click sets all of them to the step that the word names.
const stores = [];
const { initialize } = kanWidgets.Stream;
kanWidgets.Stream.initialize = (given) => {
  const store = initialize(given);
  stores.push(store);
  return store;
};
document.addEventListener("click", ({ target }) => {
  const word = target.closest?.("[data-kw-step]");
  if (word) for (const store of stores) store.setCursor(Number(word.dataset.kwStep));
});
