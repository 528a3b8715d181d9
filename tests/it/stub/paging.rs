//! Pages: the same opaque token for every paginated operation, each service with its names for it.

use super::call::Refusal;

/// What a caller asked of a list.
pub struct Asked<'a> {
    /// `MaxResults` or `Limit`.
    pub limit: Option<usize>,
    /// `NextToken` or `Marker`.
    pub token: Option<&'a str>,
    /// The model's range of the limit; its end is the page's size where none is asked.
    pub least: usize,
    pub most: usize,
    /// The error for a token that this list never gave.
    pub bad_token: &'a str,
    /// The test's own cap.
    pub cap: Option<usize>,
}

/// The asked page of `items`, and the token of the next one.
pub fn page<T>(items: Vec<T>, asked: &Asked<'_>) -> Result<(Vec<T>, Option<String>), Refusal> {
    if let Some(limit) = asked.limit
        && !(asked.least..=asked.most).contains(&limit)
    {
        return Err(Refusal::validation(format!(
            "the page size must be between {} and {}",
            asked.least, asked.most
        )));
    }
    let start = match asked.token {
        None => 0,
        Some(token) => match token.strip_prefix("page-").and_then(|start| start.parse().ok()) {
            Some(start) if start < items.len() => start,
            _ => {
                return Err(Refusal::client(asked.bad_token, "The specified token is not valid"));
            }
        },
    };
    let size = asked.limit.unwrap_or(asked.most).min(asked.cap.unwrap_or(asked.most));
    let end = items.len().min(start + size);
    let next = (end < items.len()).then(|| format!("page-{end}"));
    Ok((items.into_iter().skip(start).take(end - start).collect(), next))
}
