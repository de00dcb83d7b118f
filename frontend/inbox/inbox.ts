/**
 * The operators' page comes to life: everything it does without this file it does by links and
 * forms; with it, the same templates arrive by themselves.
 */

import { startCommands } from "./commands";
import { InboxComposer } from "./composer";
import { showKeys, startHotkeys } from "./hotkeys";
import { InboxList, theList } from "./list";
import { goLive } from "./live";
import { retitle, startNavigation } from "./navigation";
import { startNotices } from "./notify";
import { $, debounce } from "./page";
import { InboxThread } from "./thread";
import { startClock } from "./times";

if ($("#inbox-page")) {
  document.documentElement.classList.add("live");
  startClock();
  startNavigation();
  customElements.define("inbox-list", InboxList);
  customElements.define("inbox-thread", InboxThread);
  customElements.define("inbox-composer", InboxComposer);
  startCommands();
  startHotkeys();
  startNotices();
  retitle();
  $('[data-do="help"]')?.addEventListener("click", showKeys);
  const search = $<HTMLInputElement>(".search input");
  const submit = debounce(400, () => search?.form?.requestSubmit());
  search?.addEventListener("input", () => {
    // As one types, once a word has begun; an emptied field shows the whole list again.
    if (search.value.trim().length !== 1) submit();
  });
  if (search?.value && theList()?.dataset.search === search.value && !$("inbox-thread")) {
    search.focus();
    search.setSelectionRange(search.value.length, search.value.length);
  }
  goLive();
}
