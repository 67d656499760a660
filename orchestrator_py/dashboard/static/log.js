// What a subtask prints, as it comes. The end stays in sight unless somebody has scrolled away from it.
import {element, setText} from "./dom.js";
import {plain} from "./words.js";

const MOST_PIECES = 5000;

export class LogPane {
  constructor(addressOfNext) {
    this.next = element("a", {class: "note", href: addressOfNext, hidden: true}, "follow what runs");
    this.title = element("h2", {}, "Output");
    this.cut = element("p", {class: "note", hidden: true}, "Older output is left out here; orchestrator-py logs prints all of it.");
    this.nothing = element("p", {class: "note"}, "No output yet.");
    this.text = element("pre", {class: "log", tabindex: "0", role: "log", "aria-label": "Output of the subtask", "aria-live": "off", hidden: true});
    this.node = element("section", {}, element("div", {class: "row output"}, this.title, this.next), this.cut, this.nothing, this.text);
  }

  // `isKept`: somebody has chosen it, and could go back to whatever runs.
  name(subtask, isKept) {
    this.next.hidden = !isKept;
    setText(this.title, subtask ? `Output of ${subtask.id}` : "Output");
    setText(this.nothing, subtask?.sub_run_id ? "This subtask is a child run." : subtask?.completed_at ? "It printed nothing." : "No output yet.");
  }

  clear() {
    this.text.replaceChildren();
    this.text.hidden = this.cut.hidden = true;
    this.nothing.hidden = false;
  }

  put({fresh, cut, pieces}) {
    if (fresh) this.clear();
    if (fresh) this.cut.hidden = !cut;
    if (!pieces.length) return;
    const atEnd = this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < 40;
    this.text.append(...pieces.map(({stream, data}) => element("span", {class: stream === "stderr" ? "stderr" : null}, plain(data))));
    while (this.text.childElementCount > MOST_PIECES) this.text.firstElementChild.remove();
    this.text.hidden = false;
    this.nothing.hidden = true;
    if (fresh || atEnd) this.text.scrollTop = this.text.scrollHeight;
  }
}
