use std::io::BufRead;
fn main() {
    let file = std::fs::File::open(std::env::args().nth(1).unwrap()).unwrap();
    let articles: Vec<(String, String)> = std::io::BufReader::new(file)
        .lines()
        .map(|l| {
            let v: serde_json::Value = serde_json::from_str(&l.unwrap()).unwrap();
            (v["id"].as_str().unwrap().to_string(), v["text"].as_str().unwrap().to_string())
        })
        .collect();
    let pairs = retold::Detector::new().pairs(&articles).unwrap();
    println!("pairs usual words names coverage order ratio shorter sim rel");
    for p in pairs {
        if let Some(c) = p.evidence.content {
            println!(
                "{} {} {} {} {} {} {} {} {} {}",
                c.pairs,
                c.usual,
                c.words,
                c.names,
                c.coverage,
                c.order,
                c.length_ratio,
                c.shorter,
                p.similarity,
                p.relation.is_some() as u8
            );
        }
    }
}
