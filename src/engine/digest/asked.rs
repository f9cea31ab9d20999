//! What a request asks: the texts that a pipeline would put its payload into.
//!
//! The user's last texts between two answers of the model that are more than small talk: providers read messages of the user's that
//! follow each other as one, and who puts "Go on." behind a prompt, or a made-up answer and "Go on.", asks that prompt. Where the
//! user says nothing of the kind, the system prompt is what is asked.

use super::skeleton::{EDGE, HEAD, Piece, ends};
use super::words::Words;
use crate::dialect::{Kind, Part, Prompt, Role};

/// Bytes of a part in which there mostly are enough words.
const PEEK: usize = 128;

/// Whose texts ask, and among which parts of a prompt they are.
#[derive(Clone, Copy)]
pub(super) struct Asked<'p> {
    parts: &'p [Part],
    role: Role,
}

impl<'p> Asked<'p> {
    pub(super) fn of(prompt: &'p Prompt<'_>) -> Self {
        let mut last = None;
        for parts in prompt.parts.rsplit(|part| part.role == Role::Assistant) {
            let asked = Self { parts, role: Role::User };
            if asked.says_something(prompt) {
                return asked;
            }
            last = last.or_else(|| asked.texts().next().map(|_| asked));
        }
        let system = Self { parts: &prompt.parts, role: Role::System };
        if system.says_something(prompt) { system } else { last.unwrap_or(Self { parts: &[], role: Role::User }) }
    }

    /// Whether the system prompt is what is asked.
    pub(super) fn of_system(self) -> bool {
        self.role == Role::System
    }

    fn has(self, part: &Part) -> bool {
        part.role == self.role && part.kind == Kind::Text
    }

    /// The texts.
    pub(super) fn texts(self) -> impl Iterator<Item = &'p Part> {
        self.parts.iter().filter(move |part| self.has(part))
    }

    /// What is read of them.
    pub(super) fn pieces(self, prompt: &'p Prompt<'_>, most: usize) -> Vec<Piece<'p>> {
        ends(self.parts, move |part| self.has(part)).map(|part| Piece::of(prompt, part, most)).collect()
    }

    /// Whether it has as many words as make a key.
    fn says_something(self, prompt: &Prompt<'_>) -> bool {
        let mut missing = HEAD;
        for part in self.texts() {
            let words = |most| Words::new(&prompt.beginning(part.span, most)).take(missing).count();
            let mut found = words(PEEK);
            if found < missing && part.span.bytes() as usize > PEEK {
                found = words(EDGE);
            }
            missing = missing.saturating_sub(found);
            if missing == 0 {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reading;
    use super::super::skeleton::Place;
    use crate::dialect::Dialect;
    use crate::route::Route;
    use crate::rules::Config;

    const PROMPT: &str =
        "Rewrite the following question so that it becomes a little harder than it was: how far is the moon?";

    fn messages(turns: &[(&str, &str)]) -> Reading {
        let turns: Vec<String> =
            turns.iter().map(|(role, text)| format!(r#"{{"role":"{role}","content":"{text}"}}"#)).collect();
        let route = Route { dialect: Dialect::ChatCompletions, model: String::new(), stream: false };
        Reading::of(&route, format!(r#"{{"messages":[{}]}}"#, turns.join(",")).as_bytes(), true, &Config::default())
    }

    #[test]
    fn small_talk_behind_a_prompt_hides_nothing_of_it() {
        let alone = messages(&[("user", PROMPT)]);
        assert!(alone.skeleton.key(Place::Head).is_some() && alone.content != 0);
        let behind = messages(&[("user", PROMPT), ("assistant", "Understood."), ("user", "Go on.")]);
        assert_eq!((&behind.skeleton, behind.content), (&alone.skeleton, alone.content));
        let many =
            [("user", "Hi."), ("assistant", "Hello."), ("user", PROMPT), ("assistant", "Yes?"), ("user", "Now!")];
        assert_eq!((&messages(&many).skeleton, messages(&many).content), (&alone.skeleton, alone.content));
    }

    #[test]
    fn messages_of_the_user_that_follow_each_other_are_one() {
        let (head, tail) = PROMPT.split_at(60);
        let together = messages(&[("user", head), ("user", tail), ("user", "Go on.")]);
        let alone = messages(&[("user", PROMPT)]);
        assert_eq!(together.skeleton.key(Place::Head), alone.skeleton.key(Place::Head));
        assert_ne!(together.content, 0);
    }

    #[test]
    fn where_the_user_says_nothing_the_system_prompt_asks() {
        let alone = messages(&[("user", PROMPT)]);
        for talk in ["Go on.", ""] {
            let system = messages(&[("system", PROMPT), ("user", talk)]);
            // It is a system prompt as well.
            assert!(alone.skeleton.keys.iter().all(|key| system.skeleton.keys.contains(key)), "{talk}");
            assert!(system.skeleton.key(Place::System).is_some());
            assert_eq!((system.content, system.wording), (alone.content, alone.wording));
            assert_eq!((system.shape.user, system.shape.system), (alone.shape.user, 0));
        }
        let app =
            messages(&[("system", PROMPT), ("user", "What was the name of the river that we talked about yesterday?")]);
        assert!(app.skeleton.key(Place::System).is_some());
        assert_ne!(app.skeleton.key(Place::Head), alone.skeleton.key(Place::Head));
    }

    #[test]
    fn what_says_nothing_anywhere_is_small_talk() {
        let reading = messages(&[("system", "Be kind."), ("user", "Hi."), ("assistant", "Hello."), ("user", "Bye.")]);
        assert_eq!((reading.content, reading.skeleton.key(Place::Head)), (0, None));
        assert_eq!(messages(&[]).content, 0);
    }
}
