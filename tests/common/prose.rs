//! Generated English news: sentences of a small grammar over a varied vocabulary, any number of stories, the same for a seed.
//!
//! Each story has its own people, places, figures and words, so that no two stories tell the same.

#[path = "random.rs"]
mod random;

/// A stream of random numbers.
pub struct Rng {
    state: u64,
    towns: Vec<String>,
}

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self { state: random::mixed(seed), towns: Vec::new() }
    }

    /// A stream of the same numbers for whoever writes about one county: there are eight towns.
    pub fn of_county(seed: u64, county: u64) -> Self {
        let mut map = Self::new(county);
        Self { towns: (0..8).map(|_| town(&mut map)).collect(), ..Self::new(seed) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(1);
        random::mixed(self.state)
    }

    /// A number from the first to the last one.
    pub fn range(&mut self, first: u64, last: u64) -> u64 {
        first + ((u128::from(self.next()) * u128::from(last - first + 1)) >> 64) as u64
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.range(0, from.len() as u64 - 1) as usize]
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, share: u64) -> bool {
        self.range(1, 100) <= share
    }

    /// So many different ones, or all.
    pub fn some<T: Copy>(&mut self, from: &[T], count: usize) -> Vec<T> {
        let mut rest = from.to_vec();
        let count = count.min(rest.len());
        (0..count).map(|_| rest.swap_remove(self.range(0, rest.len() as u64 - 1) as usize)).collect()
    }
}

fn words(of: &'static str) -> Vec<&'static str> {
    of.split_whitespace().collect()
}

/// The phrases of a list with bars between them.
fn phrases(of: &'static str) -> Vec<&'static str> {
    of.split('|').map(str::trim).collect()
}

const FIRST_NAMES: &str = "Ada Amir Anselm Beatrix Bruno Callum Carmen Cedric Clara Dara Dmitri Edith Elias Esme Farida Felix Gideon Greta \
    Hamid Hanna Ingrid Isaac Ivo Jasper Joan Kamal Karin Leona Lionel Lucia Magnus Marta Mina Nadia Neville Olive Omar Oscar Paula Piers \
    Quentin Rania Rhoda Rupert Samira Silas Simone Sven Tamsin Theo Ulla Vera Viktor Wanda Winston Xavier Yara Yusuf Zelda Zoran";

/// A family name of syllables.
pub fn surname(rng: &mut Rng) -> String {
    let mut name = rng
        .pick(&words(
            "Al Ab Bar Bel Bran Cal Car Chel Cor Dal Del Dor Dun El Ever Fal Fen Gar Gil Har Hol Ill Ken Kir Lan Lor Mal Mar Mor Nor Nor \
             Oak Or Pel Pen Quill Ran Rid Ros Sal Shel Stan Tal Thorn Tor Ul Van Vel Wal Wes Wil Win Yar Zan",
        ))
        .to_string();
    if rng.percent(45) {
        name += rng.pick(&words("a e i o an en er in on ar el or is"));
    }
    name + rng.pick(&words(
        "bach berg bourne brook by combe cott croft dale den dine feld ford gate grave ham hurst ing ington land lett ley low man mere \
         mond more nell ridge rick rose sen shaw sley son stead stone sworth ter thorpe ton vane vitz wald wick wood worth zell",
    ))
}

pub fn person(rng: &mut Rng) -> String {
    format!("{} {}", rng.pick(&words(FIRST_NAMES)), surname(rng))
}

/// A town, of the county if there is one.
pub fn town(rng: &mut Rng) -> String {
    if !rng.towns.is_empty() {
        let at = rng.range(0, rng.towns.len() as u64 - 1);
        return rng.towns[at as usize].clone();
    }
    let name = surname(rng);
    match rng.range(0, 9) {
        0 => format!("Port {name}"),
        1 => format!("{name} Bay"),
        2 => format!("Upper {name}"),
        3 => format!("{name} Heath"),
        _ => name,
    }
}

pub fn weekday(rng: &mut Rng) -> &'static str {
    rng.pick(&["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
}

pub fn month(rng: &mut Rng) -> &'static str {
    rng.pick(&words("January February March April May June July August September October November December"))
}

pub fn date(rng: &mut Rng) -> String {
    format!("{} {}", month(rng), rng.range(1, 28))
}

/// How a story speaks of people and places.
#[derive(Clone, Copy, PartialEq)]
pub enum Naming {
    /// By their names, as most news does.
    Names,
    /// As the baker, the town, the council.
    NoNames,
}

/// What one story is about: the people and the words that it uses.
struct Subject {
    naming: Naming,
    people: Vec<(String, &'static str)>,
    places: Vec<String>,
    bodies: Vec<String>,
    nouns: Vec<&'static str>,
    verbs: Vec<&'static str>,
    adjectives: Vec<&'static str>,
}

impl Subject {
    fn new(rng: &mut Rng, naming: Naming) -> Self {
        let roles = words(
            "analyst architect baker banker barrister botanist builder captain cellist chemist chef clerk coach commissioner consultant \
             councillor curator dentist designer director doctor economist editor engineer farmer fisherman forester geologist governor \
             headteacher historian inspector investor journalist judge landlord lecturer librarian mayor mechanic midwife miner minister \
             musician novelist nurse organiser painter pharmacist pilot plumber postman producer professor publisher ranger reporter sculptor \
             secretary senator sergeant solicitor spokeswoman surgeon surveyor treasurer vet volunteer warden zoologist",
        );
        let bodies = words(
            "Academy Agency Alliance Archive Assembly Association Authority Bank Board Brewery Bureau Chamber Charity Club College \
             Commission Company Council Court Federation Foundation Gallery Guild Hospital Hotel Institute Laboratory League Library Museum \
             Orchestra Partnership Railway Society Theatre Trust Union University Works",
        );
        Self {
            naming,
            people: (0..rng.range(2, 5)).map(|_| (person(rng), rng.pick(&roles))).collect(),
            places: (0..rng.range(2, 4)).map(|_| town(rng)).collect(),
            bodies: (0..rng.range(1, 3)).map(|_| format!("{} {}", surname(rng), rng.pick(&bodies))).collect(),
            nouns: rng.some(&words(NOUNS), 26),
            verbs: rng.some(&words(VERBS), 18),
            adjectives: rng.some(&words(ADJECTIVES), 14),
        }
    }

    fn thing(&self, rng: &mut Rng) -> String {
        let noun = rng.pick(&self.nouns);
        let adjective = if rng.percent(45) { format!("{} ", rng.pick(&self.adjectives)) } else { String::new() };
        match rng.range(0, 9) {
            0 => format!("every {adjective}{noun}"),
            1 => format!("its own {adjective}{noun}"),
            2 => format!("one {adjective}{noun}"),
            3 => format!("{} {adjective}{}", rng.range(2, 900), plural(noun)),
            4 => format!("most of the {adjective}{}", plural(noun)),
            5 => format!("the {adjective}{noun} of {}", self.body(rng)),
            6 => format!("{adjective}{}", plural(noun)),
            _ => format!("the {adjective}{noun}"),
        }
    }

    fn who(&self, rng: &mut Rng) -> String {
        let (name, role) = &self.people[rng.range(0, self.people.len() as u64 - 1) as usize];
        let last = name.split_whitespace().last().unwrap_or_default();
        match rng.range(0, 7) {
            _ if self.naming == Naming::NoNames => format!("the {role}"),
            0 => format!("{name}, a {role}"),
            1 => format!("the {role}"),
            2 => self.body(rng),
            3 => name.clone(),
            4 => format!("{last}’s {}", rng.pick(&self.nouns)),
            _ => last.to_string(),
        }
    }

    fn body(&self, rng: &mut Rng) -> String {
        let body = &self.bodies[rng.range(0, self.bodies.len() as u64 - 1) as usize];
        match self.naming {
            Naming::Names => format!("the {body}"),
            Naming::NoNames => format!("the {}", body.split(' ').next_back().unwrap_or_default().to_lowercase()),
        }
    }

    fn place(&self, rng: &mut Rng) -> &str {
        if self.naming == Naming::NoNames {
            return rng.pick(&["the town", "the valley", "the suburbs", "the old quarter", "the north"]);
        }
        &self.places[rng.range(0, self.places.len() as u64 - 1) as usize]
    }

    /// Who did what to what, and how.
    fn clause(&self, rng: &mut Rng) -> String {
        let verb = rng.pick(&self.verbs);
        let (subject, object) = (if rng.percent(60) { self.who(rng) } else { self.thing(rng) }, self.thing(rng));
        let core = match rng.range(0, 5) {
            0 => format!("{subject} once {verb} {object}"),
            1 => format!("{subject} had {verb} {object}"),
            2 => format!("{subject} never {verb} {object}"),
            _ => format!("{subject} {verb} {object}"),
        };
        let tail = match rng.range(0, 13) {
            0 => format!(" in {}", self.place(rng)),
            1 => format!(" near {}", self.thing(rng)),
            2 => format!(" last {}", month(rng)),
            3 => format!(" for {} years", rng.range(2, 60)),
            4 => format!(" with {}", self.thing(rng)),
            5 => format!(" at a cost of £{},{:03}", rng.range(2, 900), rng.range(0, 999)),
            6 => format!(" without {}", self.thing(rng)),
            7 => format!(" on {}", weekday(rng)),
            _ => String::new(),
        };
        core + &tail
    }

    fn sentence(&self, rng: &mut Rng) -> String {
        let link = rng.pick(&phrases(
            "because|although|while|after|before|so|and|but|as|until|since|whereas|once|unless|even though|just as|now that|and then",
        ));
        let said = rng.pick(&phrases(
            "said|argued|insisted|recalled|told the hearing|wrote later|admitted|guessed|warned|joked|explained|promised|replied|noted",
        ));
        let sentence = match rng.range(0, 11) {
            0 => format!("{} {said} that {}", self.who(rng), self.clause(rng)),
            1 => format!("“{},” {} {said}", capital(self.clause(rng)), self.who(rng)),
            2 => format!("{}, {link} {}", self.clause(rng), self.clause(rng)),
            3 => format!("in {}, {}", self.place(rng), self.clause(rng)),
            4 => format!("{} {link} {}", self.clause(rng), self.clause(rng)),
            5 => format!("{}, {} {said}, {link} {}", self.clause(rng), self.who(rng), self.clause(rng)),
            6 => format!("by {} {}", month(rng), self.clause(rng)),
            7 => format!("{} and {} share {}", self.who(rng), self.who(rng), self.thing(rng)),
            8 => format!("nobody in {} {} {}", self.place(rng), rng.pick(&self.verbs), self.thing(rng)),
            _ => self.clause(rng),
        };
        capital(sentence) + "."
    }
}

fn plural(noun: &str) -> String {
    let vowel_before_y = ["ay", "ey", "oy"].iter().any(|end| noun.ends_with(end));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

fn capital(text: String) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A story of at least so many words, and of a sentence more at most.
pub fn story(rng: &mut Rng, naming: Naming, least: usize) -> String {
    let subject = Subject::new(rng, naming);
    let (mut text, mut count) = (String::new(), 0);
    while count < least {
        let sentence = subject.sentence(rng);
        count += sentence.split_whitespace().count();
        text += &sentence;
        text += if rng.percent(30) { "\n\n" } else { " " };
    }
    text.trim_end().to_string()
}

/// So many stories of 120 to 320 words, with ids.
pub fn stories(count: usize, seed: u64) -> Vec<(String, String)> {
    let of = |at: usize| {
        let mut rng = Rng::new(seed << 32 | at as u64);
        let words = rng.range(120, 320) as usize;
        (format!("story {seed} {at:05}"), story(&mut rng, Naming::Names, words))
    };
    (0..count).map(of).collect()
}

const NOUNS: &str = "account acre airport alarm ambulance anchor appeal apple apron archive arena ash auction avenue award axle badge bakery \
    balcony ballot bandage barge barley barn barrel basin basket battery beach beacon bell bench bicycle bill blanket boat bolt bonus book \
    border bottle boundary branch bridge brick broadcast broom bucket budget bulb burial butcher cabin cable calendar camera campaign canal \
    candle canteen canvas carpet carriage cart castle cattle ceiling cell cellar chair channel chapel charter chimney choir cinema circuit \
    clinic clock coach coast coffin collar colony column comet concert contract copper corridor costume cottage cotton counter county \
    courtyard cradle crane crate creek cricket crossing crown cup cupboard curtain cushion dam dancer deadline debate debt deck deer degree \
    depot desk diary diesel dinner ditch diver dock donor drain drawing drill driver drum duct dune easel echo elbow election elm embassy \
    engine envelope estate exam exhibit export fabric factory fair farm faucet feast fence ferry festival field film filter fleet flood \
    floor flute forest fort fossil fountain frame freezer friend frontier fruit fuel fund furnace gable garage garden garment gate glacier \
    glass glove goat grain granary grant gravel greenhouse grocer guest guitar gull gutter hall hammer harbour harvest hedge helmet herd \
    highway hinge hive hold horn horse hose house hut ice import inquest invoice island jacket jar jetty jewel judge junction kayak kennel \
    kettle kiln kiosk kitchen ladder lake lamp lane lantern lawn lawsuit leaflet lease ledger lens letter levy licence lift lighthouse lock \
    locker lodge loom lorry magnet manual map marble market marsh mast meadow medal memoir menu mill mine mirror monument mortgage motor \
    mountain mural nest newspaper niche novel nursery oak oar oats office onion opera orchard organ outing oven owl oyster paddle painting \
    pamphlet panel parade parcel parish parlour passage passport patent patient pavement pear pension permit petition piano pier pigeon \
    pillar pipe pitch plank planet plaster platform plough pond pony poster pottery prison prize profit pump puppet quarry quilt quota rail \
    rally ramp recipe record reef referee refund rehearsal rent reservoir ribbon ridge rifle road robot rocket roof rope route rug saddle \
    sail salary salmon sample sandal satellite scaffold scarf school score screen script sculpture seed sewer shed sheep shelf ship shop \
    shovel shrine siege signal silo singer skate sketch slate sleeve slope soldier song spade sparrow speech spire spring stable stadium \
    staircase stall statue steamer stove street strike studio submarine subsidy sugar suit summit survey sweater swimmer switch table tank \
    tavern tax teacher telescope temple tenant tent terrace theft ticket tile timber toll tool torch tournament tower tractor trader trail \
    train tram treaty trench tribunal trophy truck tunnel turbine umbrella uniform valley van vault vessel village vine violin voter wage \
    wagon wall warehouse watch waterfall wedding well wharf wheel whistle window winter witness workshop yacht yard zone";

const VERBS: &str = "abandoned accepted acquired adjusted admired altered announced approved arranged assembled attacked auctioned audited \
    banned blamed blocked borrowed bought broke built buried calculated called cancelled carried catalogued challenged changed checked chose \
    cleaned cleared climbed closed collected compared completed condemned copied counted covered crossed damaged defended delayed delivered \
    demanded demolished described designed destroyed discovered divided doubled drained drew dropped emptied enjoyed entered examined \
    exchanged expanded explored exported fed filled financed finished fixed followed forgot found freed gathered guarded guided halved \
    handled heard heated hid hired honoured ignored imported improved inherited inspected installed insured invented invited joined judged \
    kept launched led left lent lifted lit loaded locked lost loved lowered made marked measured mended mentioned met mocked moved named \
    needed noticed numbered offered opened ordered organised overlooked owned packed painted passed paved photographed placed planned \
    planted postponed praised predicted preferred prepared preserved printed promised protected proved published pulled questioned raced \
    raised reached rebuilt recommended recorded recovered reduced refused registered rejected remembered removed renamed rented repaired \
    replaced requested rescued restored returned reviewed rode ruined saved searched secured seized sent separated served settled shared \
    shifted shortened showed signed sold sorted split sponsored stole stopped stored studied supplied supported surrounded surveyed \
    suspected tested threatened tied toured traced traded trained transported treated trusted turned unveiled used valued visited wanted \
    warned washed watched weighed welcomed widened won wrapped wrote";

const ADJECTIVES: &str = "abandoned ancient annual awkward bankrupt bare bitter blue brave brief bright broad broken brown busy calm careful \
    cheap cheerful chilly civic clean clever closed cold common copper costly cracked crowded curious damp dangerous dark dead deep delayed \
    disputed distant double dry dusty eager early eastern elderly empty expensive faded fair false famous fast fertile final flat foreign \
    forgotten fragile free fresh frozen gentle giant glass golden green grey handsome heavy hidden high hollow honest huge humble idle illegal \
    industrial inland iron joint large late lazy leaking legal little local lonely long loose loud lucky marine massive medieval mild missing \
    modern modest muddy narrow national native neat nervous new noisy northern odd old open orange ordinary outdoor pale patient plain polite \
    poor popular portable practical precious private proud public purple quiet random rare raw red regional remote rich rigid rival rough \
    round royal rural rusty safe salty second secret shallow sharp short silent silver simple sleepy slow small smooth soft solid southern \
    spare steep strange strict strong sudden summer sunken sunny sweet tall tame temporary thick thin tidy timid tiny tired tropical unused \
    upper urban vacant valuable vast violent warm weak wealthy western wet white wide wild wooden yellow young";
