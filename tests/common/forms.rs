//! Forms that are filled with facts, as newsrooms and offices do every day: the same phrases, other names, places and figures.

use crate::prose::{Rng, date, month, person, surname, town, weekday};

/// A form: its name, and a filling of it.
pub type Form = (&'static str, fn(&mut Rng) -> String);

pub const FORMS: [Form; 16] = [
    ("weather", weather),
    ("market", market),
    ("match", football),
    ("obituary", obituary),
    ("earnings", earnings),
    ("earthquake", earthquake),
    ("roadworks", roadworks),
    ("court", court),
    ("lottery", lottery),
    ("vacancy", vacancy),
    ("police", police),
    ("shipping", shipping),
    ("appointment", appointment),
    ("house", house),
    ("concert", concert),
    ("recall", recall),
];

fn weather(rng: &mut Rng) -> String {
    let wind = ["northerly", "north-easterly", "easterly", "southerly", "south-westerly", "westerly"];
    let sky =
        ["mostly cloudy", "mainly dry", "bright at first", "overcast", "unsettled", "dull and misty", "fine and clear"];
    let later =
        ["showers", "long sunny spells", "patchy drizzle", "hill fog", "sleet on high ground", "a few thunderstorms"];
    format!(
        "{} weather for {}\n\n{}: it will be {} with a high of {} degrees and a low of {} overnight. Winds will be {} at {} to {} \
         miles an hour, with gusts of up to {} on exposed coasts. There is a {} per cent chance of rain, and about {} millimetres are \
         expected by the evening. {}: expect {} in the morning and {} later, with temperatures around {} degrees. Looking ahead to \
         {}, {} are likely in {} and {}. Sunrise is at {}.{:02} and sunset at {}.{:02}. The pollen count is {}, and the UV index is {}. \
         The water temperature at {} is {} degrees.",
        weekday(rng),
        town(rng),
        weekday(rng),
        rng.pick(&sky),
        rng.range(2, 31),
        rng.range(0, 14),
        rng.pick(&wind),
        rng.range(3, 12),
        rng.range(13, 25),
        rng.range(26, 61),
        rng.range(1, 19) * 5,
        rng.range(1, 30),
        weekday(rng),
        rng.pick(&later),
        rng.pick(&later),
        rng.range(3, 29),
        weekday(rng),
        rng.pick(&later),
        town(rng),
        town(rng),
        rng.range(4, 8),
        rng.range(0, 59),
        rng.range(16, 21),
        rng.range(0, 59),
        rng.pick(&["low", "moderate", "high", "very high"]),
        rng.range(1, 9),
        town(rng),
        rng.range(6, 19),
    )
}

fn market(rng: &mut Rng) -> String {
    let moved = |rng: &mut Rng| rng.pick(&["rose", "fell", "gained", "slipped", "climbed", "dropped", "added", "lost"]);
    let share = |rng: &mut Rng| {
        format!(
            "{} {} {}.{} per cent to {}.{:02}",
            surname(rng),
            moved(rng),
            rng.range(0, 9),
            rng.range(1, 9),
            rng.range(3, 990),
            rng.range(0, 99)
        )
    };
    let shares = [share(rng), share(rng), share(rng), share(rng)];
    let table: Vec<String> = (0..rng.range(5, 9))
        .map(|_| {
            format!(
                "{:12} {:>4}.{:02}  {:+}.{:02}",
                surname(rng),
                rng.range(2, 800),
                rng.range(0, 99),
                rng.range(0, 8) as i64 - 4,
                rng.range(0, 99)
            )
        })
        .collect();
    format!(
        "The {} share index closed at {},{:03}.{} on {}, a change of {}.{} points. Some {} million shares were traded, compared with {} \
         million the day before. {}, while {}. Among smaller companies, {} and {}. The pound stood at {}.{:02} dollars and {}.{:02} \
         euros. Gold was at {},{:03} dollars an ounce, and a barrel of crude oil cost {}.{:02} dollars.\n\n{}",
        town(rng),
        rng.range(1, 24),
        rng.range(0, 999),
        rng.range(0, 9),
        weekday(rng),
        rng.range(1, 180),
        rng.range(0, 9),
        rng.range(80, 990),
        rng.range(80, 990),
        shares[0],
        shares[1],
        shares[2],
        shares[3],
        rng.range(1, 2),
        rng.range(0, 99),
        rng.range(1, 2),
        rng.range(0, 99),
        rng.range(1, 4),
        rng.range(0, 999),
        rng.range(28, 140),
        rng.range(0, 99),
        table.join("\n"),
    )
}

fn football(rng: &mut Rng) -> String {
    let how = [
        "headed in",
        "scored from close range",
        "curled in a free kick",
        "converted a penalty",
        "tapped home",
        "struck from 20 yards",
    ];
    let (home, away) = (town(rng), town(rng));
    let goal = |rng: &mut Rng| format!("{} {} after {} minutes", person(rng), rng.pick(&how), rng.range(2, 89));
    let (first, second, third) = (goal(rng), goal(rng), goal(rng));
    let (scored, let_in) = (rng.range(0, 5), rng.range(0, 5));
    format!(
        "{home} {scored} {away} {let_in}\n\n{first} for {home} at {} Park on {}. {second}, and {third} before a crowd of {},{:03}. {} was \
         booked for a foul on {}, and goalkeeper {} kept {} out with a fine save in the {}th minute. {home} manager {} said: “We deserved \
         it over the ninety minutes.” The result leaves {home} {}th in the table with {} points from {} games. {away} are {}th with {}. \
         {home} travel to {} on {}, while {away} are at home to {}.\n\nReferee: {}. Attendance: {},{:03}.",
        surname(rng),
        weekday(rng),
        rng.range(2, 48),
        rng.range(0, 999),
        person(rng),
        surname(rng),
        person(rng),
        surname(rng),
        rng.range(50, 89),
        person(rng),
        rng.range(4, 20),
        rng.range(8, 70),
        rng.range(10, 38),
        rng.range(4, 20),
        rng.range(8, 70),
        town(rng),
        weekday(rng),
        town(rng),
        person(rng),
        rng.range(2, 48),
        rng.range(0, 999),
    )
}

fn obituary(rng: &mut Rng) -> String {
    let work = [
        "the railway workshops",
        "a dairy",
        "the county library",
        "the paper mill",
        "a primary school",
        "the telephone exchange",
        "a boatyard",
        "the town hall",
        "a hospital laundry",
        "the quarry",
    ];
    let loved = [
        "gardening",
        "bowls",
        "crosswords",
        "choral singing",
        "fishing",
        "knitting",
        "brass bands",
        "old motorcycles",
        "baking",
        "chess",
    ];
    let (name, last) = (person(rng), surname(rng));
    format!(
        "{name} {last}, {}, of {}, died peacefully on {} at {} Hospital. Born in {} on {}, {}, to the late {} and {} {last}, {name} worked for \
         {} years at {} and was a member of {} Church. A lover of {} and {}, {name} will be dearly missed. Survivors include a daughter, {}, \
         of {}; a son, {}, of {}; {} grandchildren; and {} great-grandchildren. A sister, {}, died before. Visitation will be held from {} to \
         {} p.m. on {} at {} Funeral Home, {} {} Street, {}. The service will follow at {} a.m. on {}, with burial in {} Cemetery. In lieu of \
         flowers, the family asks for donations to the {} Hospice.",
        rng.range(58, 101),
        town(rng),
        date(rng),
        surname(rng),
        town(rng),
        date(rng),
        rng.range(1921, 1964),
        person(rng),
        person(rng),
        rng.range(9, 44),
        rng.pick(&work),
        surname(rng),
        rng.pick(&loved),
        rng.pick(&loved),
        person(rng),
        town(rng),
        person(rng),
        town(rng),
        rng.range(2, 14),
        rng.range(2, 9),
        person(rng),
        rng.range(1, 3),
        rng.range(4, 8),
        weekday(rng),
        surname(rng),
        rng.range(1, 980),
        surname(rng),
        town(rng),
        rng.range(9, 11),
        weekday(rng),
        surname(rng),
        surname(rng),
    )
}

fn earnings(rng: &mut Rng) -> String {
    let trade = [
        "packaging",
        "insurance",
        "dairy",
        "software",
        "shipping",
        "cement",
        "retail",
        "hotel",
        "chemicals",
        "seed",
        "tool",
        "paper",
    ];
    let name = surname(rng);
    let kind = rng.pick(&["plc", "Group", "Holdings", "Industries", "Corp", "Partners"]);
    let why = [
        "higher prices",
        "weak demand abroad",
        "a mild winter",
        "lower freight costs",
        "new contracts",
        "a strike at a supplier",
    ];
    let moved = |rng: &mut Rng| rng.pick(&["up", "down"]);
    format!(
        "{name} {kind}, the {} company based in {}, today reported results for the three months to {}. Revenue was £{}.{} million, {} {} per \
         cent on the same period a year ago, as a result of {}. Pre-tax profit was £{}.{} million, compared with £{}.{} million. Earnings per \
         share were {}.{} pence. The board declared an interim dividend of {}.{} pence, payable on {} to holders on the register on {}. \
         Net debt stood at £{} million. Chief executive {} said: “These results show the strength of our business in {} and {}.” The company \
         now expects full-year revenue of between £{} million and £{} million. Shares in {name} closed at {} pence.",
        rng.pick(&trade),
        town(rng),
        date(rng),
        rng.range(12, 990),
        rng.range(0, 9),
        moved(rng),
        rng.range(1, 38),
        rng.pick(&why),
        rng.range(1, 99),
        rng.range(0, 9),
        rng.range(1, 99),
        rng.range(0, 9),
        rng.range(1, 99),
        rng.range(0, 9),
        rng.range(0, 19),
        rng.range(0, 9),
        date(rng),
        date(rng),
        rng.range(5, 800),
        person(rng),
        town(rng),
        town(rng),
        rng.range(50, 990),
        rng.range(991, 1900),
        rng.range(40, 2800),
    )
}

fn earthquake(rng: &mut Rng) -> String {
    let side = |rng: &mut Rng| {
        rng.pick(&["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"])
    };
    format!(
        "An earthquake of magnitude {}.{} struck {} kilometres {} of {} at {}.{:02} on {} local time, the {} Seismological Institute said. The \
         quake was at a depth of {}.{} kilometres and was felt in {} and {}, {} kilometres away. There were no immediate reports of damage or \
         injuries. The epicentre was at {}.{:02} degrees north and {}.{:02} degrees east. {} aftershocks were recorded, the strongest of \
         magnitude {}.{}. In the past ten days there have been {} earthquakes of magnitude 3 or more near {}. No tsunami warning was issued.",
        rng.range(2, 6),
        rng.range(0, 9),
        rng.range(2, 140),
        side(rng),
        town(rng),
        rng.range(0, 23),
        rng.range(0, 59),
        weekday(rng),
        surname(rng),
        rng.range(2, 90),
        rng.range(0, 9),
        town(rng),
        town(rng),
        rng.range(20, 300),
        rng.range(20, 60),
        rng.range(0, 99),
        rng.range(2, 90),
        rng.range(0, 99),
        rng.range(2, 40),
        rng.range(1, 4),
        rng.range(0, 9),
        rng.range(1, 12),
        town(rng),
    )
}

fn roadworks(rng: &mut Rng) -> String {
    let work = [
        "resurfacing",
        "gas main replacement",
        "bridge inspection",
        "drain repairs",
        "tree felling",
        "cable laying",
        "kerb works",
    ];
    let delay = [
        "delays are likely",
        "buses will be diverted",
        "access for residents will be kept",
        "expect long queues at peak times",
    ];
    format!(
        "{} Road in {} will be closed from {} {} until {} {} for {}, the highways department said. The closure will be in place between {} a.m. \
         and {} p.m. from the junction with {} Lane to number {}. A signed diversion will be by way of {} Street, the A{} and {} Avenue; {}. \
         The works, carried out by {} Contractors, will cost £{},{:03}. Bus services {} and {} will stop at {} Square instead. Further work is \
         planned on {} Hill from {} and on the B{} at {}. For enquiries call {} on 0{} {:03} {:03} and quote reference {}/{}.",
        surname(rng),
        town(rng),
        weekday(rng),
        date(rng),
        weekday(rng),
        date(rng),
        rng.pick(&work),
        rng.range(5, 10),
        rng.range(3, 11),
        surname(rng),
        rng.range(2, 390),
        surname(rng),
        rng.range(10, 999),
        surname(rng),
        rng.pick(&delay),
        surname(rng),
        rng.range(4, 990),
        rng.range(0, 999),
        rng.range(1, 99),
        rng.range(100, 199),
        surname(rng),
        surname(rng),
        date(rng),
        rng.range(1000, 9999),
        town(rng),
        person(rng),
        rng.range(1000, 9999),
        rng.range(0, 999),
        rng.range(0, 999),
        rng.range(1000, 9999),
        rng.range(20, 29),
    )
}

fn court(rng: &mut Rng) -> String {
    let charge = [
        "driving without insurance",
        "theft from a shop",
        "common assault",
        "criminal damage to a window",
        "possession of cannabis",
        "failing to stop after an accident",
        "fishing without a licence",
        "fraud by false representation",
        "driving while disqualified",
    ];
    let case = |rng: &mut Rng| {
        format!(
            "{}, {}, of {} {} Road, {}, admitted {} on {}. Fined £{}, with costs of £{} and a surcharge of £{}.",
            person(rng),
            rng.range(18, 77),
            rng.range(1, 290),
            surname(rng),
            town(rng),
            rng.pick(&charge),
            date(rng),
            rng.range(4, 90) * 10,
            rng.range(5, 40) * 5,
            rng.range(20, 90),
        )
    };
    let cases: Vec<String> = (0..rng.range(3, 6)).map(|_| case(rng)).collect();
    format!(
        "Before {} magistrates on {} {}:\n\n{}\n\n{} failed to appear and a warrant was issued without bail.",
        town(rng),
        weekday(rng),
        date(rng),
        cases.join("\n\n"),
        person(rng)
    )
}

fn lottery(rng: &mut Rng) -> String {
    let mut numbers = |count: usize| {
        let mut drawn = rng.some(&(1..=59).collect::<Vec<u32>>(), count);
        drawn.sort_unstable();
        drawn.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
    };
    let (main, second, raffle) = (numbers(6), numbers(5), numbers(3));
    format!(
        "The winning numbers in {}’s {} Lotto draw were {main}, and the bonus ball was {}. The {} machine and ball set {} were used. {} tickets \
         matched all six numbers to share the jackpot of £{},{:03},{:03}. {} players won £{},{:03} each for five numbers and the bonus ball, and \
         {} won £{},{:03} for five. In the {} Draw the numbers were {second}, and the raffle numbers {raffle}. A winner from {} last {} has \
         not yet come forward and has until {} to claim £{},{:03}. The next jackpot on {} is estimated at £{} million.",
        weekday(rng),
        surname(rng),
        rng.range(1, 59),
        surname(rng),
        rng.range(1, 9),
        rng.range(0, 5),
        rng.range(1, 22),
        rng.range(0, 999),
        rng.range(0, 999),
        rng.range(1, 20),
        rng.range(10, 99),
        rng.range(0, 999),
        rng.range(21, 190),
        rng.range(1, 3),
        rng.range(0, 999),
        surname(rng),
        town(rng),
        month(rng),
        date(rng),
        rng.range(2, 990),
        rng.range(0, 999),
        weekday(rng),
        rng.range(2, 29),
    )
}

fn vacancy(rng: &mut Rng) -> String {
    let post = [
        "a payroll clerk",
        "an assistant cook",
        "a night porter",
        "a fork-lift driver",
        "a dental nurse",
        "a site manager",
        "a piano teacher",
        "a lifeguard",
        "a data engineer",
        "a florist",
        "a gardener",
        "a welder",
        "a bookkeeper",
    ];
    let need = [
        "a clean driving licence",
        "two years of experience",
        "a head for figures",
        "good written English",
        "a first-aid certificate",
        "a steady hand",
        "patience with children",
        "your own tools",
        "a degree or equivalent",
    ];
    let gives = [
        "free parking",
        "a staff canteen",
        "28 days of holiday",
        "a bicycle scheme",
        "private health cover",
        "paid training",
    ];
    let name = surname(rng);
    format!(
        "{name} {} of {} is looking for {} to join a team of {} from {}. The post is for {} hours a week, {} to {}, at £{},{:03} a year. You will \
         report to {} and look after {} and {}. You will have {} and {}, and be ready to travel to {} {} times a month. We offer {}, {} and a \
         pension of {} per cent. {name} was founded in {} and employs {} people in {} and {}. To apply, send a letter and the names of two \
         referees to {}, {} {} Street, {}, by {}. Interviews will be held on {}. Reference: {}{}.",
        rng.pick(&["Ltd", "Brothers", "Services", "Care", "Foods", "and Daughters"]),
        town(rng),
        rng.pick(&post),
        rng.range(3, 40),
        date(rng),
        rng.range(12, 40),
        weekday(rng),
        weekday(rng),
        rng.range(17, 64),
        rng.range(0, 999),
        person(rng),
        rng.pick(&post),
        rng.pick(&post),
        rng.pick(&need),
        rng.pick(&need),
        town(rng),
        rng.range(2, 9),
        rng.pick(&gives),
        rng.pick(&gives),
        rng.range(3, 12),
        rng.range(1870, 2015),
        rng.range(12, 2400),
        town(rng),
        town(rng),
        person(rng),
        rng.range(1, 400),
        surname(rng),
        town(rng),
        date(rng),
        date(rng),
        rng.pick(&["KX", "PR", "ST", "LM"]),
        rng.range(100, 9999),
    )
}

fn police(rng: &mut Rng) -> String {
    let what = [
        "A garage was broken into and a lawnmower taken",
        "A bicycle was reported stolen",
        "A man was arrested after a disturbance at a bar",
        "A car was scratched",
        "A wallet was handed in",
        "A caller reported a loose horse",
        "A shop window was smashed",
        "Two youths were seen on a roof",
        "A driver was stopped at {} miles an hour",
        "Copper pipe was stolen from a building site",
    ];
    let entry = |rng: &mut Rng| {
        let what = rng.pick(&what).replace("{}", &rng.range(41, 112).to_string());
        format!(
            "{}, {}.{:02} {}.m., {} block of {} Street: {what}. Loss: ${}. Officer {} took a report, case {}-{}.",
            date(rng),
            rng.range(1, 12),
            rng.range(0, 59),
            rng.pick(&["a", "p"]),
            rng.range(1, 99) * 100,
            surname(rng),
            rng.range(1, 900) * 5,
            surname(rng),
            rng.range(10, 25),
            rng.range(1000, 99999),
        )
    };
    let entries: Vec<String> = (0..rng.range(4, 8)).map(|_| entry(rng)).collect();
    format!(
        "The {} Police Department answered {} calls between {} and {}. Among them:\n\n{}\n\nAnyone with information is asked to call Sergeant {} \
         at 555-{:04}. All suspects are presumed innocent until proven guilty in a court of law.",
        town(rng),
        rng.range(40, 400),
        date(rng),
        date(rng),
        entries.join("\n"),
        surname(rng),
        rng.range(0, 9999)
    )
}

fn shipping(rng: &mut Rng) -> String {
    let cargo = [
        "timber",
        "grain",
        "fertiliser",
        "containers",
        "china clay",
        "scrap metal",
        "wind turbine blades",
        "salt",
        "cement",
        "coal",
    ];
    let ship = |rng: &mut Rng| {
        format!(
            "{} {} ({} tonnes, Captain {}) from {} with {}, berth {}, {}.{:02}",
            rng.pick(&["MV", "MT", "SS"]),
            surname(rng),
            rng.range(800, 64_000),
            surname(rng),
            town(rng),
            rng.pick(&cargo),
            rng.range(1, 40),
            rng.range(0, 23),
            rng.range(0, 59)
        )
    };
    let ships: Vec<String> = (0..rng.range(4, 7)).map(|_| ship(rng)).collect();
    format!(
        "Port of {}: movements for {} {}. Expected: {}. Sailed: MV {} for {} with {}. High water at {}.{:02} ({}.{} metres) and {}.{:02} ({}.{} \
         metres). Pilots on duty: {} and {}. Freight rates to {} were quoted at ${}.{} a tonne, those to {} at ${}.{}. Masters are reminded to \
         report to {} on channel {} one hour before arrival.",
        town(rng),
        weekday(rng),
        date(rng),
        ships.join("; "),
        surname(rng),
        town(rng),
        rng.pick(&cargo),
        rng.range(0, 11),
        rng.range(0, 59),
        rng.range(3, 9),
        rng.range(0, 9),
        rng.range(12, 23),
        rng.range(0, 59),
        rng.range(3, 9),
        rng.range(0, 9),
        person(rng),
        person(rng),
        town(rng),
        rng.range(8, 90),
        rng.range(0, 9),
        town(rng),
        rng.range(8, 90),
        rng.range(0, 9),
        surname(rng),
        rng.range(6, 77),
    )
}

fn appointment(rng: &mut Rng) -> String {
    let post = [
        "chief executive",
        "finance director",
        "head of sales",
        "director of nursing",
        "chief engineer",
        "general counsel",
        "marketing manager",
        "head of research",
        "company secretary",
        "chairman",
        "operations director",
        "chief librarian",
    ];
    let field = [
        "logistics",
        "banking",
        "publishing",
        "biotechnology",
        "civil engineering",
        "catering",
        "textiles",
        "television",
        "energy",
    ];
    let quality = [
        "a wealth of experience",
        "fresh ideas",
        "great energy",
        "deep knowledge of the trade",
        "an outstanding record",
        "a steady hand",
        "contacts all over the industry",
        "a rare eye for detail",
    ];
    let (name, company) = (person(rng), surname(rng));
    let last = name.split_whitespace().last().unwrap_or_default().to_string();
    format!(
        "{company} {} has appointed {name} as {}. {last} joins the company from {} {}, where {last} spent {} years, most recently as {}, and was \
         responsible for its business in {} and {}. Before that {last} worked in {} for {} and {}. The appointment takes effect on {}. {last} \
         succeeds {}, who is leaving to become {} of {}. “We are delighted to welcome {name},” said {}, {} of {company}. “{last} brings {} and \
         {} to our team in {}.” {last} holds a degree in {} from the University of {} and lives in {} with a partner and {} children. {company}, \
         founded by {}, is one of the leading companies in {} and {}, with offices in {}, {} and {}.",
        rng.pick(&["plc", "Group", "Partners", "International", "Trust"]),
        rng.pick(&post),
        surname(rng),
        rng.pick(&["Brothers", "and Company", "Holdings", "Associates"]),
        rng.range(3, 20),
        rng.pick(&post),
        town(rng),
        town(rng),
        rng.pick(&field),
        surname(rng),
        surname(rng),
        date(rng),
        person(rng),
        rng.pick(&post),
        surname(rng),
        person(rng),
        rng.pick(&post),
        rng.pick(&quality),
        rng.pick(&quality),
        town(rng),
        rng.pick(&["history", "law", "physics", "economics", "chemistry", "music"]),
        town(rng),
        town(rng),
        rng.range(2, 5),
        person(rng),
        rng.pick(&field),
        rng.pick(&field),
        town(rng),
        town(rng),
        town(rng),
    )
}

fn house(rng: &mut Rng) -> String {
    let kind = [
        "detached",
        "semi-detached",
        "terraced",
        "end-of-terrace",
        "thatched",
        "converted",
        "three-storey",
        "timber-framed",
    ];
    let home = ["house", "cottage", "bungalow", "barn", "villa", "chapel", "mill"];
    let has = [
        "a wood-burning stove",
        "oak floors",
        "a south-facing garden",
        "a double garage",
        "sash windows",
        "a walk-in larder",
        "underfloor heating",
        "a conservatory",
        "views over the valley",
        "a cellar",
        "exposed beams",
        "a recently fitted kitchen",
        "a greenhouse",
        "an orchard",
    ];
    let near = [
        "the railway station",
        "two good schools",
        "the village shop",
        "the golf course",
        "the sea",
        "a surgery",
        "the motorway",
    ];
    format!(
        "A {} {} in the sought-after village of {}, within easy reach of {} and {}. On the ground floor there is an entrance hall, a sitting room \
         with {}, a dining room with {}, a kitchen and a utility room. Upstairs the landing leads to {} bedrooms, the largest with {}, and a \
         family bathroom. Outside the property benefits from {} and {}. {} and {} are within walking distance, and there are regular buses to {} \
         and {}. The {} was built in {} for {} and has been in the same family for {} years. Viewing is strictly by appointment with {} of {} and \
         {}, {} Street, {}. Offers are invited in excess of £{},000.",
        rng.pick(&kind),
        rng.pick(&home),
        town(rng),
        town(rng),
        town(rng),
        rng.pick(&has),
        rng.pick(&has),
        rng.range(2, 6),
        rng.pick(&has),
        rng.pick(&has),
        rng.pick(&has),
        rng.pick(&near),
        rng.pick(&near),
        town(rng),
        town(rng),
        rng.pick(&home),
        rng.range(1720, 1990),
        person(rng),
        rng.range(8, 90),
        person(rng),
        surname(rng),
        surname(rng),
        surname(rng),
        town(rng),
        rng.range(90, 990),
    )
}

fn concert(rng: &mut Rng) -> String {
    let who = [
        "Chamber Orchestra",
        "Male Voice Choir",
        "Silver Band",
        "String Quartet",
        "Folk Trio",
        "Youth Orchestra",
        "Bach Choir",
        "Jazz Band",
        "Operatic Society",
        "Recorder Consort",
    ];
    let work = [
        "a serenade",
        "a cello concerto",
        "two motets",
        "a set of sea songs",
        "a wind quintet",
        "a symphony",
        "some waltzes",
        "a requiem",
        "ragtime favourites",
        "a new commission",
        "a harvest cantata",
        "three Welsh dances",
    ];
    let hall = [
        "Town Hall",
        "Methodist Church",
        "Corn Exchange",
        "Assembly Rooms",
        "Abbey",
        "School Hall",
        "Memorial Institute",
    ];
    let cause = [
        "the church roof",
        "the lifeboat",
        "the hospice",
        "the air ambulance",
        "the swimming pool",
        "the village hall",
        "the library",
    ];
    let name = town(rng);
    format!(
        "The {name} {} will give a concert at the {} {} on {} {}, beginning at {} p.m. The programme, conducted by {}, includes {} by {}, {} by {} \
         and {} by {}. The soloists are {} and {}, with {} at the organ. {} will lead the second half, which closes with {}. Tickets, which cost \
         £{}, can be bought from {} of {} Street, from the {} bookshop or at the door; children are admitted free. Refreshments will be served in \
         the interval by the friends of {}. All proceeds go to {} and {}. The next concert will be held in {} in {}, when the guests will be the \
         {} {}. New members are always welcome: rehearsals are on {} evenings in {}.",
        rng.pick(&who),
        town(rng),
        rng.pick(&hall),
        weekday(rng),
        date(rng),
        rng.range(6, 8),
        person(rng),
        rng.pick(&work),
        surname(rng),
        rng.pick(&work),
        surname(rng),
        rng.pick(&work),
        surname(rng),
        person(rng),
        person(rng),
        person(rng),
        person(rng),
        rng.pick(&work),
        rng.range(5, 28),
        person(rng),
        surname(rng),
        surname(rng),
        surname(rng),
        rng.pick(&cause),
        rng.pick(&cause),
        town(rng),
        month(rng),
        town(rng),
        rng.pick(&who),
        weekday(rng),
        town(rng),
    )
}

fn recall(rng: &mut Rng) -> String {
    let product = [
        "crunchy peanut butter",
        "electric kettles",
        "baby car seats",
        "smoked salmon",
        "garden heaters",
        "folding bicycles",
        "vegetable soup",
        "hair dryers",
        "goat’s cheese",
        "step ladders",
        "wooden trains",
        "frozen raspberries",
        "phone chargers",
        "dog biscuits",
    ];
    let danger = [
        "may contain pieces of metal",
        "can overheat and catch fire",
        "may contain salmonella",
        "can collapse without warning",
        "may contain nuts that are not on the label",
        "has small parts on which children could choke",
        "has a faulty switch",
    ];
    let sold = [
        "department stores",
        "market stalls",
        "supermarkets",
        "garden centres",
        "petrol stations",
        "its own web shop",
        "chemists",
    ];
    let name = surname(rng);
    format!(
        "{name} {} is recalling {} because the product {}. The recall affects batches made at its factory in {} between {} and {} and sold in {} and \
         {} in {}, {} and {}. No other products of {name} are known to be affected. Customers who have bought the product are advised not to use \
         it and to return it to the place where they bought it for a full refund; no receipt is needed. The fault was discovered by {}, an \
         inspector, after a complaint from a family in {}. {} of {name} said: “The safety of our customers comes first, and we apologise for any \
         inconvenience.” Notices will be displayed in {} and {}. The company, which also makes {} and {}, recalled {} in {} for a similar reason. \
         For advice write to {} at {name}, {} Street, {}.",
        rng.pick(&["Foods", "Brothers", "and Sons", "Limited", "Products"]),
        rng.pick(&product),
        rng.pick(&danger),
        town(rng),
        date(rng),
        date(rng),
        rng.pick(&sold),
        rng.pick(&sold),
        town(rng),
        town(rng),
        town(rng),
        person(rng),
        town(rng),
        person(rng),
        rng.pick(&sold),
        rng.pick(&sold),
        rng.pick(&product),
        rng.pick(&product),
        rng.pick(&product),
        rng.range(1996, 2022),
        person(rng),
        surname(rng),
        town(rng),
    )
}

/// Forms in other languages than English, in which names are not told from other words.
pub const FOREIGN: [Form; 5] = [
    ("Unfall", |rng| filled_in(rng, UNFALL)),
    ("Leitung", |rng| filled_in(rng, LEITUNG)),
    ("maç", |rng| filled_in(rng, MAC)),
    ("طقس", |rng| filled_in(rng, TAQS)),
    ("मौसम", |rng| filled_in(rng, MAUSAM)),
];

/// A text with its blanks filled: `{2-9}` with a number, `{one|another}` with one of the words.
fn filled_in(rng: &mut Rng, form: &str) -> String {
    let mut parts = form.split('{');
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (blank, rest) = part.split_once('}').unwrap();
        match blank.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?))) {
            Some((first, last)) => text += &rng.range(first, last).to_string(),
            None => text += rng.pick(&blank.split('|').collect::<Vec<_>>()),
        }
        text += rest;
    }
    text
}

const UNFALL: &str = "{Aldenhofen|Wolfsbach|Tannheim|Mühlrode|Erlengrund|Nesselbrunn}. Bei einem {Verkehrsunfall|schweren \
    Unfall|Zusammenstoß} auf der B {2-480} zwischen {Kaltenstein|Birkenau|Rodenfeld|Steinach} und {Oberquell|Lindhof|Ravensgrün|Hagenau} \
    ist am {Montag|Dienstag|Mittwoch|Donnerstag|Freitag}{morgen|mittag|abend} ein {18-84}-jähriger {Motorradfahrer|Autofahrer|Radfahrer} \
    {leicht|schwer|lebensgefährlich} verletzt worden. Nach Angaben der Polizei war der Mann gegen {6-22}.{10-59} Uhr aus {ungeklärter \
    Ursache|Unachtsamkeit|gesundheitlichen Gründen} {in den Gegenverkehr geraten|von der Fahrbahn abgekommen|auf ein Fahrzeug \
    aufgefahren}. Der Rettungsdienst brachte ihn in die Klinik nach {Dornbach|Ilmenrode|Quellstadt|Weidenau}. Die {18-80} Jahre alte \
    Fahrerin des anderen Wagens blieb unverletzt. Den Sachschaden schätzt die Polizei auf rund {2-60}.000 Euro. Die Straße war für {1-9} \
    Stunden gesperrt. Zeugen werden gebeten, sich unter der Rufnummer 0{2000-9999}/{10000-99999} zu melden.";

const LEITUNG: &str = "{Mechthild|Irmgard|Sieglinde|Waltraud|Roswitha} {Ziegenhagen|Obermoser|Hartleb|Quandt|Lilienweiß} ist seit dem {2-30}. \
    {Januar|März|Mai|Juli|Oktober} neue {Leiterin|Direktorin|Chefin} {der Stadtbücherei|des Freibads|der Volkshochschule|des Bauhofs} in \
    {Erlengrund|Nesselbrunn|Kaltenstein|Rodenfeld}. Wie das Rathaus am {Montag|Dienstag|Donnerstag|Freitag} bekannt gab, tritt sie die Nachfolge \
    von {Eberhard|Gottlieb|Wendelin|Lothar} {Krautwurst|Sonnleitner|Fassbinder|Mühlhoff} an, der sich nach {8-39} Dienstjahren verabschiedet hat. \
    Die {31-59} Jahre alte {Betriebswirtin|Ingenieurin|Historikerin|Juristin} kommt gebürtig aus {Weidenau|Dornbach|Lindhof|Steinach}. Davor war \
    sie {2-19} Jahre in {Quellstadt|Hagenau|Birkenau|Ravensgrün} beschäftigt und hat dort {den Neubau betreut|die Gebühren gesenkt|das Archiv \
    geordnet|einen Förderverein gegründet}. Landrat {Ansgar|Korbinian|Detlef} {Wiesenthal|Brennecke|Ostermeier} hieß sie herzlich willkommen. Sie \
    hat {2-5} Kinder und {malt gern|wandert viel|spielt Bratsche|sammelt Briefmarken}.";

const MAC: &str = "{Akçapınar|Beyköy|Çamlıdere|Değirmenci|Erikli|Gökçeova}spor, {2-34}. hafta maçında sahasında \
    {Ilıcalar|Karahisarlı|Menekşeli|Ovacıklı|Sarıkaya|Yenidoğan}spor'u {2-5}-{0-1} mağlup etti. Şehir Stadı'nda oynanan karşılaşmada ev \
    sahibi ekip {3-40}. dakikada {Akbulut|Bozkurtlar|Çetinkaya|Demirhan}'ın golüyle öne geçti. {46-70}. dakikada \
    {Erdoğmuş|Güneşli|Karaduman|Özbilgin} farkı ikiye çıkardı. Konuk takımın golü {71-90}. dakikada {Saygıner|Tekinalp|Uçarlı|Yağmurcu}'dan \
    geldi. Hakem {Aksoylu|Baltacı|Dereli} maçta {2-9} sarı kart gösterdi. Teknik direktör {Korkutan|Sezginer|Tunalı} maç sonunda \
    {oyuncularını kutladı|hakemi eleştirdi|taraftara teşekkür etti|önlerindeki maçlara baktıklarını söyledi}. Bu sonuçla ev sahibi puanını \
    {20-70}'e yükseltti, konuk takım ise {5-60} puanda kaldı. Karşılaşmayı {2-30} bin {100-999} seyirci izledi.";

const TAQS: &str = "توقعت هيئة الأرصاد الجوية أن يكون الطقس يوم {السبت|الأحد|الاثنين|الثلاثاء|الأربعاء} {حارا نهارا|معتدلا|باردا ليلا|غائما \
    جزئيا} على {الواحة الخضراء|وادي السدر|عين الزيتون} و{تل النخيل|مرسى اللؤلؤ|جبل الغيم}، حيث تبلغ درجة الحرارة العظمى {20-48} درجة والصغرى \
    {3-19} درجة. وتكون الرياح {شمالية|جنوبية غربية|شرقية} بسرعة {8-60} كيلومترا في الساعة، مثيرة {للأتربة|للرمال|للأمواج} على الطريق. وقال خبير \
    الأرصاد {سالم|ناصر|هيثم|جابر} {الحداد|القاسمي|البحيري|الشامي} إن نسبة الرطوبة ستصل إلى {20-95} في المئة، ونصح المواطنين {بتجنب السفر ليلا|بشرب \
    الماء|بعدم ركوب البحر}. ويبلغ ارتفاع الموج {1-9} أمتار، وتغرب الشمس عند الساعة {5-7} و{10-59} دقيقة.";

const MAUSAM: &str = "मौसम विभाग के अनुसार {सोमवार|मंगलवार|बुधवार|गुरुवार} को {सोनपुरी|रामगढ़ी|चंदनवाड़ी} और {नीलकोट|फूलबाग|देवघाटी} में {हल्की \
    बारिश|तेज धूप|घना कोहरा|शीतलहर} की संभावना है। अधिकतम तापमान {20-45} डिग्री और न्यूनतम {3-19} डिग्री सेल्सियस रहेगा। हवा की गति {5-50} किलोमीटर प्रति घंटा \
    रह सकती है। मौसम वैज्ञानिक {हरीश|सुनीता|प्रमोद} {त्रिपाठी|भारद्वाज|सक्सेना} ने बताया कि {पश्चिमी विक्षोभ|बंगाल की खाड़ी की नमी|दक्षिणी हवाओं} के कारण अगले \
    {2-6} दिन {ठंड बढ़ेगी|पारा चढ़ेगा|बादल छाए रहेंगे}। {कमलनगर|हरिपुरा} जिले में {5-90} मिलीमीटर वर्षा दर्ज की गई। किसानों को {फसल ढकने|सिंचाई रोकने|कटाई \
    जल्दी करने} की सलाह दी गई है। सूर्यास्त शाम {5-7} बजकर {10-59} मिनट पर होगा।";
