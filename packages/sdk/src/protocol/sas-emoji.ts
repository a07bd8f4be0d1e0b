/** One of the 64 pictures, with the name to read aloud. */
export interface SasEmoji {
  readonly symbol: string;
  readonly name: string;
}

/** Chosen to look and sound unlike each other, present in every current emoji font, free of skin tones and flags. */
export const SAS_EMOJI: readonly SasEmoji[] = `
🐕 Dog,🐈 Cat,🦁 Lion,🐎 Horse,🦄 Unicorn,🐖 Pig,🐘 Elephant,🐇 Rabbit,
🐼 Panda,🐓 Rooster,🐧 Penguin,🐢 Turtle,🐟 Fish,🐙 Octopus,🦋 Butterfly,🐝 Bee,
🌷 Tulip,🌳 Tree,🌵 Cactus,🍄 Mushroom,🌍 Globe,🌙 Moon,⛅ Cloud,🔥 Fire,
🍌 Banana,🍎 Apple,🍓 Strawberry,🌽 Corn,🍕 Pizza,🎂 Cake,🍋 Lemon,🥕 Carrot,
🎩 Hat,👓 Glasses,👑 Crown,🎒 Backpack,☂️ Umbrella,⌛ Hourglass,⏰ Clock,🎁 Gift,
💡 Lamp,📕 Book,✏️ Pencil,📎 Paperclip,✂️ Scissors,🔒 Lock,🔑 Key,🔨 Hammer,
☎️ Telephone,🚲 Bicycle,🚂 Train,🚀 Rocket,⛵ Sailboat,🏆 Trophy,⚽ Ball,🎸 Guitar,
🎺 Trumpet,🔔 Bell,⚓ Anchor,🎧 Headphones,📁 Folder,📌 Pin,🧲 Magnet,🪁 Kite`
  .trim()
  .split(',')
  .map((entry) => {
    const [symbol = '', name = ''] = entry.trim().split(' ');
    return { symbol, name };
  });
