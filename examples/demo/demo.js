import { interceptResend, simulatedChannel } from '@qsec2/sdk/bb84';
// Here rather than beside this script: an opened link connects as soon as the element is defined, and has to know the channel then.
import './qsec2-chat.js';

/**
 * The controls of the demo: what this window's photons go through. They are kept in the address, so that an invite link
 * carries them to whoever opens it: the one who joins is the one who sends the photons.
 */

const chat = document.querySelector('qsec2-chat');
const field = (id) => document.getElementById(id);

const DEFAULTS = { eve: 0, noise: 1.5, photons: 32768 };
const settings = { ...DEFAULTS };

function read() {
  const query = new URLSearchParams(location.search);
  for (const name of Object.keys(DEFAULTS)) {
    const given = Number(query.get(name));
    if (query.has(name) && Number.isFinite(given)) settings[name] = given;
  }
}

function write() {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(settings)) {
    if (value === DEFAULTS[name]) url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  history.replaceState(history.state, '', url);
}

const channelNow = () =>
  simulatedChannel({
    flip: settings.noise / 100,
    ...(settings.eve > 0 && { eavesdropper: interceptResend(settings.eve / 100) }),
  });

let channel;

/** Reads the controls anew for each key agreement: a retry goes through the channel as it is set then. */
const liveChannel = {
  get provenance() {
    return channel.provenance;
  },
  get description() {
    return channel.description;
  },
  transmit: (pulses) => channel.transmit(pulses),
};

function apply() {
  channel = channelNow();
  chat.keyAgreement = { pulses: settings.photons, channel: liveChannel };
}

function show() {
  for (const name of Object.keys(DEFAULTS)) field(name).value = String(settings[name]);
  field('eve-out').textContent = `${settings.eve} %`;
  field('noise-out').textContent = `${settings.noise} %`;
  field('note').textContent =
    settings.eve === 0
      ? 'Nobody is listening. The few errors come from the noise.'
      : 'A listener measures these photons in bases of her own and sends them on. Each wrong guess can leave an error: reading all of them shows as 25 %. Above 11 % no key is made.';
}

for (const name of Object.keys(DEFAULTS)) {
  field(name).addEventListener('input', (event) => {
    settings[name] = Number(event.target.value);
    apply();
    write();
    show();
  });
}

field('channel').addEventListener('submit', (event) => event.preventDefault());
field('start').addEventListener('click', (event) => {
  // The click that opens the panel is not also one beside it.
  event.stopPropagation();
  void chat.open();
});
field('snippet').textContent =
  `<script type="module" src="${location.origin}/qsec2-chat.js"></script>\n<qsec2-chat relay="${location.origin}"></qsec2-chat>`;

read();
apply();
show();

// Whoever opens a link came for the chat: the rest of the page is laid out when its keys are agreed, or after a moment.
if (location.hash.length > 1) {
  const { classList } = document.body;
  const show = () => classList.remove('opening');
  classList.add('opening');
  setTimeout(show, 250);
  chat.addEventListener('qsec2-state', ({ detail }) => {
    if (detail.state !== 'connecting' && detail.state !== 'agreeing') show();
  });
}
