// What the pay page needs of JavaScript: the provider's card field, and a session page that looks again by itself.
"use strict";

const byId = (id) => document.getElementById(id);

function trouble(text) {
  const place = byId("trouble");
  place.textContent = text;
  place.hidden = !text;
}

// Storage may be switched off: then nobody is led back to his session, and everything else works.
function remembered(place) {
  try { return localStorage.getItem("charging:" + place); } catch { return null; }
}
function remember(place, page) {
  try {
    if (page) localStorage.setItem("charging:" + place, page);
    else localStorage.removeItem("charging:" + place);
  } catch { /* not remembered */ }
}

// A field of the provider's for a card: colours are ours, what is typed is theirs.
function cardField(form) {
  const provider = Stripe(form.dataset.key, { locale: form.dataset.language });
  const elements = provider.elements({ locale: form.dataset.language });
  const style = getComputedStyle(document.body);
  const card = elements.create("card", {
    hidePostalCode: true,
    style: { base: { color: style.color, fontSize: "17px", iconColor: style.color } },
  });
  card.mount("#card");
  card.on("change", (event) => trouble(event && event.error ? event.error.message : ""));
  return { provider, elements, card };
}

function pay(form) {
  const start = byId("start");
  const method = form.elements.namedItem("method");
  if (typeof Stripe === "undefined") { trouble(form.dataset.away); return; }
  const { provider, elements, card } = cardField(form);
  const email = () => form.elements.namedItem("email").value.trim();
  start.disabled = false;
  wallets(form, provider, elements, (id) => { method.value = id; form.submit(); });
  form.addEventListener("submit", async (event) => {
    if (method.value) return;
    event.preventDefault();
    if (start.disabled) return;
    start.disabled = true;
    trouble("");
    try {
      const more = email() ? { billing_details: { email: email() } } : {};
      const made = await provider.createPaymentMethod({ type: "card", card, ...more });
      if (made.error) throw made.error;
      method.value = made.paymentMethod.id;
      form.submit();
    } catch (error) {
      trouble((error && error.message) || form.dataset.away);
      start.disabled = false;
    }
  });
  // Whoever comes back by the browser's button finds the form as it was: let him, with the same key.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

// Apple Pay and Google Pay, where provider, browser and country have them.
async function wallets(form, provider, elements, pays) {
  const { country, currency, label, amount } = form.dataset;
  if (!provider.paymentRequest || !country) return;
  try {
    const request = provider.paymentRequest({
      country, currency: currency.toLowerCase(), total: { label, amount: Number(amount), pending: true },
    });
    if (!(await request.canMakePayment())) return;
    elements.create("paymentRequestButton", { paymentRequest: request }).mount("#wallet");
    byId("wallets").hidden = false;
    request.on("paymentmethod", (event) => { event.complete("success"); pays(event.paymentMethod.id); });
  } catch { /* the card field is there */ }
}

// A card that is kept for later: the provider has it when it says so, and only its name comes here.
function save(form) {
  const start = byId("start");
  if (typeof Stripe === "undefined") { trouble(form.dataset.away); return; }
  const { provider, card } = cardField(form);
  let saved = false;
  start.disabled = false;
  form.addEventListener("submit", async (event) => {
    if (saved) return;
    event.preventDefault();
    if (start.disabled) return;
    start.disabled = true;
    trouble("");
    try {
      const seen = await provider.confirmCardSetup(form.dataset.secret, { payment_method: { card } });
      if (seen.error) throw seen.error;
      saved = true;
      form.submit();
    } catch (error) {
      trouble((error && error.message) || form.dataset.away);
      start.disabled = false;
    }
  });
}

// The bank wants to see the driver (3-D Secure).
function confirm(bank) {
  const ask = byId("ask");
  if (typeof Stripe === "undefined") { trouble(bank.dataset.away); return; }
  const provider = Stripe(bank.dataset.key, { locale: bank.dataset.language });
  const see = async () => {
    ask.disabled = true;
    trouble("");
    try {
      const seen = await provider.confirmCardPayment(bank.dataset.secret);
      if (seen.error) trouble(seen.error.message || "");
      byId("back").submit();
    } catch (error) {
      trouble((error && error.message) || bank.dataset.away);
      ask.disabled = false;
    }
  };
  ask.addEventListener("click", see);
}

// A driver's own language for what goes on: the server says it, here it is only shown.
function follow(part) {
  const { live, page, place } = part.dataset;
  let timer = 0;
  const later = (seconds) => { clearTimeout(timer); if (seconds) timer = setTimeout(look, seconds * 1000); };
  async function look() {
    if (document.hidden) { later(5); return; }
    try {
      const answer = await fetch(live, { cache: "no-store" });
      if (answer.status === 404) { location.reload(); return; }
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.json());
      byId("lost").hidden = true;
    } catch {
      byId("lost").hidden = false;
      later(5);
    }
  }
  function show(told) {
    if ((told.status === "action-needed") !== (part.dataset.status === "action-needed")) {
      location.reload();
      return;
    }
    part.dataset.status = told.status;
    const headline = byId("headline");
    if (headline.textContent !== told.headline) headline.textContent = told.headline;
    const focused = document.activeElement && part.contains(document.activeElement) ? document.activeElement.id : "";
    if (part.innerHTML !== told.body) part.innerHTML = told.body;
    if (focused && byId(focused)) byId(focused).focus();
    remember(place, told.over ? null : page);
    later(told.again_s);
  }
  remember(place, part.dataset.again ? page : null);
  later(Number(part.dataset.again));
  document.addEventListener("visibilitychange", () => { if (!document.hidden && timer) look(); });
  part.addEventListener("submit", (event) => {
    const button = event.target.querySelector("button");
    if (button) setTimeout(() => { button.disabled = true; }, 0);
  });
}

const found = { pay: byId("pay"), save: byId("save"), bank: byId("bank"), session: byId("session"), resume: byId("resume"), print: byId("print") };
if (found.resume && remembered(found.resume.dataset.place)) {
  found.resume.querySelector("a").href = remembered(found.resume.dataset.place);
  found.resume.hidden = false;
}
if (found.pay) pay(found.pay);
if (found.save) save(found.save);
if (found.bank) confirm(found.bank);
if (found.session) follow(found.session);
if (found.print) {
  found.print.hidden = false;
  found.print.addEventListener("click", () => window.print());
}
