const plural = (n: number, one: string, many: string) => (n === 1 ? one : many);

/** The words of the security panel, which load with it. */
export const enSecurity = {
  verdictVerified: (name: string) => `Only you and ${name} can read this chat. You compared the safety number.`,
  verdictSecure: (name: string) =>
    `What you and ${name} write is encrypted from end to end. Compare the safety number to be sure that nobody is in the middle.`,
  verdictAborted: 'Not secure. No key was made and nothing can be sent.',
  verdictNone: 'There is no key yet. Nothing can be sent.',
  safetyNumber: 'Safety number',
  safetyLead: (name: string) => `Read it to ${name} in person or on a call. Both sides must show the same.`,
  safetyEmoji: 'The same, as pictures',
  markVerified: 'Mark as verified',
  isVerified: (name: string) => `You verified ${name}`,
  identityKey: 'Identity key',
  attested: (name: string) => `The creator of the room vouches for ${name}`,
  isCreator: (name: string) => `${name} made this room, as the link says`,
  channel: 'Quantum channel',
  upperBound: (percent: string) => `At most ${percent} with the statistics taken into account`,
  pipeline: 'From photons to key',
  pipelineSent: 'Photons sent',
  pipelineDetected: 'Detected',
  pipelineSifted: 'Same basis on both sides',
  pipelineSampled: 'Compared in public, then dropped',
  pipelineDisclosed: (corrected: string) => `Disclosed to correct ${corrected} errors`,
  pipelineFinal: 'Secret bits in the key',
  keySection: 'Key',
  epoch: 'Sending epoch',
  age: 'Age',
  suite: 'Ciphers',
  source: 'Key source',
  method: 'Error correction',
  methodFigure: (method: string, rounds: number) => `${method}, ${plural(rounds, '1 round', `${rounds} rounds`)}`,
  ageJust: 'less than a minute',
  noReport: 'No key agreement has finished yet.',
  protects: 'What this protects',
  protectsList: [
    'What you write, your names and the keys: the relay and the network see sealed frames only.',
    'What was said before: each message has a key of its own, which is destroyed after use.',
    'Who is in the room: the link proves its creator, the safety number proves the rest.',
  ],
  protectsNot: 'What it does not',
  protectsNotList: [
    'That you talk, when, from which address and roughly how much.',
    'Anything once it is on the screen of the person you write to.',
    'A page that was tampered with before it reached your browser.',
  ],
  simulatedTruth:
    'The quantum channel is simulated. It shows truthfully how BB84 notices a listener, yet adds nothing to the secrecy of this chat, which rests on the link and on the ciphers above.',
  hardwareTruth:
    'The BB84 key comes from quantum hardware and is mixed with the keys of the ciphers above: both must fall for the chat to be read.',
};

export type SecurityDictionary = typeof enSecurity;
