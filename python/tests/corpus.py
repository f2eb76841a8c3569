"""Articles to find copies among: copies, edited copies, rewordings, templates, chains, repeated ids, empty texts."""

from __future__ import annotations

import random

Story = tuple[str, str, str, str]

SYLLABLES = "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu na ne ni no nu ra re ri ro ru sa se si so su".split()
PLAIN = "the of and to in a that for on with was as by at from it said will be has had not they were after when who more".split()


def word(rng: random.Random) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4)))


def sentence(rng: random.Random, names: list[str], words: list[str]) -> list[str]:
    out = []
    for _ in range(rng.randint(8, 18)):
        pick = rng.random()
        out.append(rng.choice(PLAIN) if pick < 0.45 else rng.choice(names) if pick < 0.55 else rng.choice(words))
    if rng.random() < 0.3:
        out.append(str(rng.randint(2, 900)))
    return out


def told(sentences: list[list[str]]) -> str:
    return " ".join(" ".join(words)[:1].upper() + " ".join(words)[1:] + "." for words in sentences)


def edited(rng: random.Random, sentences: list[list[str]], share: float, words: list[str]) -> list[list[str]]:
    return [[rng.choice(words) if rng.random() < share else old for old in each] for each in sentences]


def reworded(rng: random.Random, sentences: list[list[str]]) -> list[list[str]]:
    """The same content words, most of them in the same order, with other plain words between."""
    out = []
    for each in sentences:
        kept = [old for old in each if old not in PLAIN and rng.random() < 0.85]
        mixed: list[str] = []
        for old in kept:
            mixed += [rng.choice(PLAIN)] * rng.randint(0, 2) + [old]
        out.append(mixed or ["nothing"])
    return out


def corpus(rng: random.Random, stories: int) -> list[Story]:
    """Articles as id, text, date and source, shuffled."""
    vocabulary = [word(rng) for _ in range(3000)]
    found: list[Story] = []

    def add(text: str, id: str | None = None) -> None:
        date = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        found.append((id or f"{word(rng)}-{len(found)}", text, date, rng.choice("abcdefghijkl") + ".example"))

    template = sentence(rng, ["Orrin"], vocabulary) + sentence(rng, ["Hallin"], vocabulary)
    footer = told([sentence(rng, ["Letters"], vocabulary) for _ in range(2)])
    for story in range(stories):
        names = [word(rng).capitalize() for _ in range(4)]
        words = [rng.choice(vocabulary) for _ in range(60)]
        original = [sentence(rng, names, words) for _ in range(rng.randint(3, 14))]
        text = told(original)
        add(text + (" " + footer if story % 7 == 0 else ""))
        kind = story % 10
        if kind == 0:
            add(text.upper().replace(".", "!"))
        elif kind in (1, 2):
            add(told(edited(rng, original, 0.05, vocabulary)))
        elif kind in (3, 4, 5):
            add(told(reworded(rng, original)))
        elif kind == 6:
            # Inside a longer text.
            around = [sentence(rng, [word(rng).capitalize() for _ in range(4)], vocabulary) for _ in range(20)]
            add(told(around[:10] + original + around[10:]))
        elif kind == 7:
            # A chain: each from the one before.
            link = original
            for _ in range(4):
                link = edited(rng, link, 0.15, vocabulary)
                add(told(link))
    for _ in range(stories // 2):
        add(told([[str(rng.randint(1, 999)) if rng.random() < 0.2 else old for old in template]]))
    for text in ("", " ", "Two words", "…", "Straße nach Łódź 東京 naïve 🛳️ fährt um neun Uhr ab.", "STRASSE nach Łódź 東京 naïve fährt um neun Uhr ab"):
        add(text, id="again")
    found += [("again", found[0][1], found[0][2], found[0][3])] * 2
    rng.shuffle(found)
    return found


def quotes(rng: random.Random, passages: int) -> list[Story]:
    """Articles that quote passages, some of them edited: reports on one event, and others; a few passages that very many hold."""
    vocabulary = [word(rng) for _ in range(3000)]
    found: list[Story] = []
    for passage in range(passages):
        quoted = [sentence(rng, ["Orrin"], vocabulary) for _ in range(rng.randint(4, 7))]
        topic = [rng.choice(vocabulary) for _ in range(40)]
        for holder in range(rng.choice([2, 2, 2, 3, 3, 4, 6, 12]) if passage % 12 else 50):
            words = vocabulary if passage % 3 == 0 else topic
            around = [sentence(rng, [word(rng).capitalize() for _ in range(3)], words) for _ in range(rng.randint(6, 16))]
            middle = rng.randint(1, len(around) - 1)
            told_as = edited(rng, quoted, 0.04, vocabulary) if holder % 2 else quoted
            text = told(around[:middle] + told_as + around[middle:])
            date = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}" if rng.random() < 0.8 else ""
            found.append((f"quote-{passage}-{holder} ü", text, date, rng.choice("abcdefghijkl") + ".example"))
            if rng.random() < 0.1:
                found.append((f"copy-{passage}-{holder}", text + " They said so.", date, "z.example"))
    rng.shuffle(found)
    return found
