//! Every sample event with every damage at every place.

use serde_json::Value;

use super::arena::{Arena, Before};
use super::damage::{self, DAMAGES};
use crate::effort;

/// The sample events by name, in the order of their names.
pub fn samples() -> Vec<(String, Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: std::path::PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.file_stem().unwrap().to_str().unwrap().to_owned(), serde_json::from_str(&text).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// The state in which a sample makes the function do the most.
pub fn before(sample: &str) -> Before {
    match sample {
        // A stack owns the document in the other states.
        "direct-plan" | "direct-terraform-update" => Before::Unowned,
        name if name.ends_with("-create") => Before::Unowned,
        name if name.starts_with("custom-resource") || name.starts_with("session-key") => Before::AsWanted,
        _ => Before::Drifted,
    }
}

/// The rules are not so strict that an event without damage breaks them, and each does what it is about.
#[tokio::test]
async fn the_samples_break_no_rule_undamaged() {
    let arena = Arena::new().await;
    for (name, mut event) in samples() {
        arena.reset(before(&name));
        arena.address(&mut event);
        let Some(outcome) = arena.run(&name, event.to_string().as_bytes()).await else { continue };
        let is_refused = outcome.result.is_err() || outcome.answers.iter().any(|answer| !answer.success);
        assert_eq!(
            is_refused,
            name == "key-access-create" || name == "key-access-update",
            "{name}: {outcome:?}"
        );
    }
    arena.finish();
}

#[tokio::test]
async fn every_sample_is_survived_with_every_damage_at_every_place() {
    let arena = Arena::new().await;
    let (part, states) = effort::amount((300, 9), (1, 40));
    let mut number = 0;
    for (sample, (name, mut event)) in samples().into_iter().enumerate() {
        arena.address(&mut event);
        let places = damage::places(&event);
        for (kind, (damage, _)) in DAMAGES.iter().enumerate() {
            // In a bounded run each damage meets a place of every fifth sample, and each sample every fifth damage.
            let chosen = ((sample + kind) % 5 == 0).then_some((sample * 7 + kind) % places.len());
            for (index, place) in places.iter().enumerate() {
                number += 1;
                if number % part != 0 && Some(index) != chosen {
                    continue;
                }
                // A repair is long, and what is damaged seldom matters to it.
                arena.reset(if number % states == 0 { before(&name) } else { Before::Nothing });
                let bytes = damage::damaged(&event, place, damage);
                arena.run(&format!("{name}, {damage} at {place}"), &bytes).await;
            }
        }
    }
    let cases = arena.finish();
    effort::report("bad-input-samples", &format!("{cases} damaged events, 0 break a rule"));
}
