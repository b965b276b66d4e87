//! How wide the columns of the matches are: values before headings, and the event id, which stands in the event too, last.

/// The widest column where the pane scrolls sideways, in columns of the screen.
const WIDEST: usize = 48;

/// The narrowest that a wider column is cut to.
const NARROWEST: usize = 12;

/// The narrowest that a heading is cut to, where values need less.
const HEADING: usize = 9;

/// Columns between two columns.
const GAP: usize = 2;

/// Columns of the screen for each column; `values` and `headings` are how wide they are, the event id the last one.
pub(super) fn fitted(values: &[usize], headings: &[usize], room: usize) -> Vec<usize> {
    let room = room.saturating_sub(1 + GAP * values.len());
    let whole: Vec<usize> = values.iter().zip(headings).map(|(value, heading)| *value.max(heading)).collect();
    let least = |value: usize, heading: usize| value.min(NARROWEST).max(heading.min(HEADING));
    let mut widths: Vec<usize> = values.iter().zip(headings).map(|(v, h)| least(*v, *h)).collect();
    if widths.iter().sum::<usize>() > room {
        // The pane scrolls sideways, two columns or so at a time.
        let cut = (room / 2).clamp(NARROWEST, WIDEST);
        return whole.into_iter().map(|width| width.min(cut)).collect();
    }
    let mut but_id = values.to_vec();
    but_id.pop();
    widen(&mut widths, &but_id, room);
    widen(&mut widths, values, room);
    widen(&mut widths, &whole, room);
    widths
}

/// Widens columns as far as each needs and all have room, the narrow ones before the wide ones.
fn widen(widths: &mut [usize], needed: &[usize], room: usize) {
    let of = |width: usize, needed: usize, cut: usize| width.max(needed.min(cut));
    let needs = |at: usize| needed.get(at).copied().unwrap_or(0);
    let all = |widths: &[usize], cut| -> usize {
        widths.iter().enumerate().map(|(at, width)| of(*width, needs(at), cut)).sum()
    };
    let most = needed.iter().copied().max().unwrap_or(0);
    let cut = (0..=most).rev().find(|cut| all(widths, *cut) <= room).unwrap_or(0);
    for (at, width) in widths.iter_mut().enumerate() {
        *width = of(*width, needs(at), cut);
    }
    let mut left = room.saturating_sub(widths.iter().sum());
    for (at, width) in widths.iter_mut().enumerate() {
        let more = usize::from(left > 0 && *width < needs(at));
        *width += more;
        left -= more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [usize; 4] = [8, 10, 60, 40];
    const HEADINGS: [usize; 4] = [4, 4, 17, 17];

    fn taken(widths: &[usize]) -> usize {
        1 + widths.iter().map(|width| width + GAP).sum::<usize>()
    }

    #[test]
    fn all_is_shown_where_there_is_room() {
        assert_eq!(fitted(&VALUES, &HEADINGS, 200), VALUES);
        assert_eq!(fitted(&[8, 4], &[4, 17], 40), [8, 17]);
    }

    #[test]
    fn the_event_id_gives_way_first_and_no_room_is_left_over() {
        let widths = fitted(&VALUES, &HEADINGS, 110);
        assert_eq!((widths.as_slice(), taken(&widths)), (&[8, 10, 60, 23][..], 110));
        let widths = fitted(&VALUES, &HEADINGS, 89);
        assert_eq!((widths.as_slice(), taken(&widths)), (&[8, 10, 50, 12][..], 89));
    }

    #[test]
    fn headings_give_way_to_values() {
        let widths = fitted(&[8, 22, 8, 4, 22, 40], &[4, 4, 19, 17, 17, 17], 100);
        assert_eq!((widths.as_slice(), taken(&widths)), (&[8, 22, 9, 9, 22, 17][..], 100));
    }

    #[test]
    fn what_cannot_fit_scrolls() {
        assert_eq!(fitted(&VALUES, &HEADINGS, 10), [8, 10, 12, 12]);
        assert_eq!(fitted(&[8, 60, 60, 60, 60], &[4; 5], 60), [8, 24, 24, 24, 24]);
    }
}
