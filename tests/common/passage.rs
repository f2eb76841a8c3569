//! A passage, and the same told in other words, each in an article of its own that is about something else.

pub const PASSAGE: &str = "The harbour board of Orrin announced on Monday that the ferry Selma will stop in March, since fewer than nine people \
    a day crossed the bay last winter. \u{201c}We have kept her afloat for three years with money that we did not have, and nobody on the mainland ever thanked us for it,\u{201d} said its chairwoman, \
    Ingrid Sollberg. The old ship, built in Hallin in 1961, would have needed repairs of 2.4 million crowns to pass its next inspection in April.";

pub const ANEW: &str = "In March the ferry Selma will stop, the harbour board of Orrin said on Monday: last winter fewer than nine people a day \
    crossed the bay. \u{201c}We have kept her afloat for three years with money that we did not have, and nobody on the mainland ever thanked us for it,\u{201d} its chairwoman, Ingrid Sollberg, told \
    reporters. To pass its next inspection in April the old ship, which was built in Hallin in 1961, would have needed repairs of 2.4 million crowns.";

/// An article of letters to the editor, with the passage, and one about a road, with the same in other words.
pub fn articles() -> [(String, String); 2] {
    let letters = "Three readers wrote to us this week. The first asks who will pay for a bus along the cliffs, and the others why nobody asked them \
        before; the second of them owns the hotel at the pier, which has stood empty since May, and sends a photograph of its dining room. The third \
        remembers a winter in which cows were taken across on planks, and would like to know whether the museum still has them.";
    let road = "Work on the coastal road begins after Easter. Between the church and the mill it is to be widened by two metres, the mayor told the \
        council, so that lorries can pass each other without waiting at the bend. Trees will be felled in February; a petition to spare the old \
        lime trees had four hundred signatures. For a year the market moves to the school yard, and traders are promised lower fees.";
    [
        ("letters".into(), format!("{letters} {PASSAGE} {letters}")),
        (
            "road".into(),
            format!("{road} {ANEW} The council meets again on the ninth of May in the new hall, where seats are few."),
        ),
    ]
}
