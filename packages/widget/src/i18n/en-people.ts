/** The words of the list of people, which load with it. */
export const enPeople = {
  peopleHere: 'In this room',
  peopleWaiting: 'Asking to be let in',
  nobodyElse: 'Nobody else is here.',
  you: 'You',
  roleCreator: 'Made this room',
  roleDelegate: 'Decides with the creator',
  present: 'Here',
  away: 'Away',
  verified: 'Verified',
  notVerified: 'Not verified',
  actionsFor: (name: string) => `Actions for ${name}`,
  makeDelegate: 'Let them decide, too',
  endDelegate: 'Let them decide no more',
  removePerson: 'Remove from the room',
  removeTitle: (name: string) => `Remove ${name}?`,
  removeLead: (name: string) =>
    `${name} reads nothing that is written from now on and cannot come back. The room gets a new link, which the others follow by themselves; the old one stops working.`,
  removeConfirm: 'Remove',
  deny: 'Turn away',
  admitChangedLead: (name: string) =>
    `You verified somebody called ${name}, and this is another key. It may be a new browser, or somebody else with the link. Compare the new number on a call or in person first.`,
  admitVerified: 'Numbers match: let in',
  admitUnverified: 'Let in unverified',
  lockTitle: 'Ask before anyone new comes in',
  lockLead: 'Who opens the link waits until somebody here lets them in.',
  lockedByMaking: 'This room was made so that everyone new is asked about.',
  heirTitle: 'Who decides when you are gone?',
  heirLead:
    'You made this room. Nobody else can let people in, remove anyone or lock it, unless you hand that over before you leave.',
  heirNobody:
    'You made this room, and nobody else can let people in, remove anyone or lock it. Everyone is away, so nobody can take that over now.',
  handOver: (name: string) => `Hand over to ${name} and leave`,
  handingOver: (name: string) => `Waiting for ${name} to take over…`,
  leaveAnyway: 'Leave without handing over',
  removedLead: 'Share the new link with whom you want to come: it is in the menu.',
};

export type PeopleDictionary = typeof enPeople;
