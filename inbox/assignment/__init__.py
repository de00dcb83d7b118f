"""Who answers: routing, opening hours, the queue and presence."""
